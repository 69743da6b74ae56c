/** Small graphs in code, and the two ways to run them that tests compare: row by row, and converted, in LiteRT. */
import {
  attr,
  Diagnostics,
  Graph,
  joinPieces,
  opRow,
  Tensor,
  type Attr,
  type DType,
  type Node,
  type Signature,
  type Value,
} from '@floe/export-core';
import { convertGraph } from '../convert/convert-graph';
import type { TfliteModel } from '../tflite/model';
import { writeModel } from '../tflite/write';
import { runTflite } from '../verify/litert';

/** Numbers that look random and never change: fixtures without files. */
export function numbers(count: number, seed = 1): number[] {
  let state = seed * 2654435761;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.fround(state / 2 ** 31);
  });
}

export class GraphBuilder {
  readonly graph = new Graph();
  private readonly inputs: Node[] = [];

  input(name: string, shape: (number | null)[], dtype: DType = 'float32'): Value {
    const node = this.graph.add(name, 'Placeholder', [], {
      dtype: attr.type(dtype),
      shape: attr.shape(shape),
    });
    this.inputs.push(node);
    return node.output();
  }

  /** A float32 constant of made-up numbers. */
  weights(name: string, shape: number[], seed = 1): Value {
    return this.constant(
      name,
      Tensor.fromNumbers(
        'float32',
        shape,
        numbers(
          shape.reduce((a, b) => a * b, 1),
          seed,
        ),
      ),
    );
  }

  constant(name: string, tensor: Tensor): Value {
    return this.graph.addConst(name, tensor).output();
  }

  ints(name: string, values: number[] | number): Value {
    const tensor =
      typeof values === 'number'
        ? Tensor.scalar('int32', values)
        : Tensor.fromNumbers('int32', [values.length], values);
    return this.constant(name, tensor);
  }

  op(name: string, op: string, inputs: Value[], attrs: Record<string, Attr> = {}): Value {
    return this.graph.add(name, op, inputs, { T: attr.type('float32'), ...attrs }).output();
  }

  signature(outputs: Value[]): Signature {
    const spec = (value: Value) => {
      const shape = value.node.attrs.get('shape');
      const dtype = value.node.attrs.get('dtype');
      return {
        name: value.node.name.replace(/\W/g, '_'),
        tensor: value.name,
        dtype: dtype?.kind === 'type' ? dtype.value : ('float32' as DType),
        shape: shape?.kind === 'shape' ? shape.value : null,
      };
    };
    return {
      key: 'serving_default',
      inputs: this.inputs.map((n) => spec(n.output())),
      outputs: outputs.map(spec),
    };
  }

  /** The outputs by the op table's exact evaluation. */
  evaluate(feeds: Record<string, Tensor>, outputs: Value[]): Tensor[] {
    const known = new Map<Value, Tensor>();
    for (const node of this.graph.sorted()) {
      const fed = feeds[node.name] ?? node.constant;
      const results = fed
        ? [fed]
        : opRow(node.op)!.evaluate!(
            node.inputs.map((v) => known.get(v)!),
            node,
          );
      results.forEach((t, i) => known.set(node.output(i), t));
    }
    return outputs.map((v) => known.get(v)!);
  }

  /** Converts; throws when anything cannot be. Uses the graph up: evaluate first. */
  convert(outputs: Value[]): TfliteModel {
    const diagnostics = new Diagnostics();
    const model = convertGraph(this.graph, { signatures: [this.signature(outputs)] }, diagnostics);
    diagnostics.throwIfErrors();
    return model;
  }

  /** Evaluates, converts, runs the result in LiteRT on made-up inputs, and gives all that a test looks at. */
  async compare(outputs: Value[], shapes: Record<string, number[]>): Promise<Comparison> {
    const feeds = Object.fromEntries(
      Object.entries(shapes).map(([name, shape], i) => [
        name,
        Tensor.fromNumbers(
          'float32',
          shape,
          numbers(
            shape.reduce((a, b) => a * b, 1),
            11 + i,
          ),
        ),
      ]),
    );
    return this.compareOn(outputs, feeds);
  }

  /** The same on inputs of the test's own. */
  async compareOn(outputs: Value[], feeds: Record<string, Tensor>): Promise<Comparison> {
    const want = this.evaluate(feeds, outputs);
    const model = this.convert(outputs);
    const ran = await runTflite(joinPieces(writeModel(model)), new Map(Object.entries(feeds)));
    const got = outputs.map((v) => ran.get(v.node.name.replace(/\W/g, '_')) as Tensor);
    return { ops: operators(model), error: Math.max(...want.map((w, i) => difference(w, got[i]))), model };
  }
}

export interface Comparison {
  ops: string[];
  /** Largest difference of any element, absolute. */
  error: number;
  model: TfliteModel;
}

/** The main subgraph's operators in order, fused activations behind a plus: `CONV_2D+RELU6`. */
export function operators(model: TfliteModel): string[] {
  return model.subgraphs[0].ops.map((op) => {
    const activation = op.options?.fused_activation_function;
    return activation && activation !== 'NONE' ? `${op.code}+${String(activation)}` : op.code;
  });
}

function difference(a: Tensor, b: Tensor): number {
  if (String(a.shape) !== String(b.shape)) return Infinity;
  return a.toNumbers().reduce((max, x, i) => Math.max(max, Math.abs(x - b.at(i))), 0);
}
