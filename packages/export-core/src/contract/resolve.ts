/** From what model.yaml declares, or the source's own signatures, to the contract on the graph's tensors. */
import type { Descriptor, ContractInput, ContractOutput } from '../descriptor/schema';
import type { Diagnostics, Place } from '../diagnostics/diagnostic';
import { nearest, suggestion } from '../diagnostics/suggest';
import type { Graph, Value } from '../graph/graph';
import { parseInput } from '../graph/graphdef';
import { outputTypes } from '../ops/op-def';
import { compatible, mergeShapes, shapeToString, type Shape } from '../tensor/shape';
import { DEFAULT_SIGNATURE, type Contract, type Signature, type TensorSpec } from './contract';
import { hintForType } from '../checks/declared-type';
import { likelyMeant } from '../checks/missing-tensor';
import { findTensor } from './find-tensor';
import { proposeOutputs, placeholders } from './propose';

export type PlaceOf = (path: (string | number)[]) => Place;

/**
 * Finds every declared input and output and checks dtype and shape against the graph, all at once.
 *
 * @param found the signatures of the source itself, used where model.yaml leaves inputs or outputs out
 */
export function resolveContract(
  descriptor: Pick<Descriptor, 'inputs' | 'outputs' | 'signatures'>,
  graph: Graph,
  found: readonly Signature[],
  place: PlaceOf,
  diagnostics: Diagnostics,
): Contract {
  const resolver = new Resolver(graph, place, diagnostics);
  const contract: Contract = { version: 1, signatures: [], initializers: [] };
  if (descriptor.signatures) {
    for (const [key, declared] of Object.entries(descriptor.signatures)) {
      const own = found.find((s) => s.key === key);
      if (!own && found.length > 0 && !(declared.inputs && declared.outputs)) {
        const keys = found.map((s) => s.key);
        diagnostics.error(
          'G011',
          `the source has no signature "${key}"; it has ${keys.map((k) => `"${k}"`).join(', ')}`,
          {
            hint: suggestion(nearest(key, keys)) ?? 'declare its inputs and outputs, or take one of these',
            where: place(['signatures', key]),
          },
        );
        continue;
      }
      contract.signatures.push(
        resolver.signature(key, declared.inputs, declared.outputs, own, ['signatures', key]),
      );
    }
  } else if (descriptor.inputs || descriptor.outputs || found.length === 0) {
    const outputs = descriptor.outputs === 'auto' ? undefined : descriptor.outputs;
    contract.signatures.push(
      resolver.signature(found[0]?.key ?? DEFAULT_SIGNATURE, descriptor.inputs, outputs, found[0], []),
    );
  } else {
    contract.signatures.push(...found);
  }
  return contract;
}

class Resolver {
  /** Entries that were not found, and what was probably meant by them. */
  private readonly standIns = new Set<TensorSpec>();

  constructor(
    private readonly graph: Graph,
    private readonly place: PlaceOf,
    private readonly diagnostics: Diagnostics,
  ) {}

  signature(
    key: string,
    inputs: readonly ContractInput[] | undefined,
    outputs: readonly ContractOutput[] | undefined,
    own: Signature | undefined,
    path: (string | number)[],
  ): Signature {
    const results = outputs
      ? outputs.map((o, i) => this.spec(o, 'output', [...path, 'outputs', i], own?.outputs))
      : (own?.outputs ?? this.guessOutputs(path));
    const args = inputs
      ? inputs.map((o, i) => this.spec(o, 'input', [...path, 'inputs', i], own?.inputs))
      : (own?.inputs ?? this.guessInputs(results.filter((r) => r !== undefined)));
    this.unique(args, 'inputs', path);
    this.unique(results, 'outputs', path);
    return { key, inputs: this.distinct(args), outputs: this.distinct(results) };
  }

  /** One declared input or output on the graph; undefined after a diagnostic. */
  private spec(
    declared: ContractInput | ContractOutput,
    role: 'input' | 'output',
    path: (string | number)[],
    own: readonly TensorSpec[] | undefined,
  ): TensorSpec | undefined {
    const tensor = declared.tensor ?? own?.find((s) => s.name === declared.name)?.tensor ?? declared.name;
    const where = this.place(declared.tensor === undefined ? [...path, 'name'] : [...path, 'tensor']);
    const value = findTensor(
      this.graph,
      { tensor, role: `${role} "${declared.name}": tensor`, where, own },
      this.diagnostics,
    );
    if (!value) return this.standIn(declared.name, tensor, role, own);
    const dtype = this.dtype(declared, role, value, path);
    const shape = this.shape(declared, role, value, path);
    if (!dtype) return undefined;
    return { name: declared.name, tensor: value.name, dtype, shape };
  }

  /** After an error: what was probably meant, so that more can be found out in the same run. */
  private standIn(
    name: string,
    wanted: string,
    role: string,
    own: readonly TensorSpec[] | undefined,
  ): TensorSpec | undefined {
    const tensor = likelyMeant(this.graph, wanted, role, own);
    const value = tensor && this.valueOf(tensor);
    const dtype = value ? (value.dtype ?? outputTypes(value.node)?.[value.index]) : undefined;
    if (!value || !dtype) return undefined;
    const spec = { name, tensor: value.name, dtype, shape: value.shape ?? null };
    this.standIns.add(spec);
    return spec;
  }

  /** The entries that are there. What stands in for one must not be another. */
  private distinct(specs: readonly (TensorSpec | undefined)[]): TensorSpec[] {
    const defined = specs.filter((s) => s !== undefined);
    const found = new Set(defined.filter((s) => !this.standIns.has(s)).map((s) => s.tensor));
    return defined.filter((s) => !this.standIns.has(s) || !found.has(s.tensor));
  }

  private valueOf(tensor: string): Value | undefined {
    const { name, index } = parseInput(tensor);
    return this.graph.node(name)?.output(index);
  }

  private dtype(
    declared: ContractInput | ContractOutput,
    role: string,
    value: Value,
    path: (string | number)[],
  ) {
    const actual = value.dtype ?? outputTypes(value.node)?.[value.index];
    if (declared.dtype && actual && declared.dtype !== actual) {
      this.diagnostics.error(
        'G002',
        `${role} "${declared.name}" is declared ${declared.dtype}, the graph has ${actual} at "${value.name}"`,
        {
          hint: hintForType(this.graph, value, role, declared.dtype, actual),
          where: this.place([...path, 'dtype']),
          node: value.node.name,
        },
      );
    }
    if (!declared.dtype && !actual) {
      this.diagnostics.error(
        'G002',
        `the type of ${role} "${declared.name}" is not known: ${value.node.op} is a custom op`,
        {
          hint: `declare it: { name: ${declared.name}, tensor: "${value.name}", dtype: float32 }`,
          where: this.place([...path, 'name']),
          node: value.node.name,
        },
      );
    }
    return actual ?? declared.dtype;
  }

  private shape(
    declared: ContractInput | ContractOutput,
    role: string,
    value: Value,
    path: (string | number)[],
  ): Shape {
    const actual = value.shape ?? null;
    if (declared.shape === undefined) return actual;
    if (!compatible(declared.shape, actual)) {
      this.diagnostics.error(
        'G003',
        `${role} "${declared.name}" is declared ${shapeToString(declared.shape)}, the graph has ${shapeToString(actual)} at "${value.name}"${mismatch(declared.shape, actual)}`,
        {
          hint: `shape: ${JSON.stringify(actual)}`,
          where: this.place([...path, 'shape']),
          node: value.node.name,
        },
      );
      return actual;
    }
    // `null` in a declared input says that any size is allowed, also where the graph knew one.
    return role === 'input' ? declared.shape : mergeShapes(declared.shape, actual);
  }

  private unique(
    specs: readonly (TensorSpec | undefined)[],
    list: 'inputs' | 'outputs',
    path: (string | number)[],
  ): void {
    const seen = new Map<string, number>();
    specs.forEach((spec, i) => {
      const first = spec && seen.get(spec.tensor);
      if (spec && first !== undefined && list === 'inputs' && !this.standIns.has(spec)) {
        this.diagnostics.error(
          'G009',
          `${list} "${specs[first]?.name}" and "${spec.name}" are one tensor, ${spec.tensor}`,
          {
            where: this.place([...path, list, i]),
          },
        );
      }
      if (spec && !this.standIns.has(spec)) seen.set(spec.tensor, i);
    });
  }

  private guessOutputs(path: (string | number)[]): TensorSpec[] {
    const specs = proposeOutputs(this.graph)
      .filter((p) => p.likely)
      .map((p) => p.spec);
    if (specs.length === 0) {
      this.diagnostics.error('G010', 'the graph has no tensor that looks like an output', {
        hint: 'declare outputs: [{ name: y, tensor: "node:0" }]',
        where: this.place(path),
      });
    }
    return specs;
  }

  /** The placeholders that the outputs need. */
  private guessInputs(outputs: readonly TensorSpec[]): TensorSpec[] {
    const roots = outputs
      .map((o) => this.graph.node(o.tensor.slice(0, o.tensor.lastIndexOf(':'))))
      .filter((n) => n !== undefined);
    return placeholders(this.graph, this.graph.ancestors(roots));
  }
}

function mismatch(declared: Shape, actual: Shape): string {
  if (declared === null || actual === null) return '';
  if (declared.length !== actual.length) return ` (rank ${declared.length}, not ${actual.length})`;
  const i = declared.findIndex((d, k) => d !== null && actual[k] !== null && d !== actual[k]);
  return ` (dimension ${i} is ${declared[i]}, not ${actual[i]})`;
}
