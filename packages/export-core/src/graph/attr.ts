/** Attribute values of a node, as AttrValue of attr_value.proto, told apart by `kind`. */
import type { DType } from '../tensor/dtype';
import type { Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

export type Attr =
  | { kind: 'string'; value: Uint8Array }
  | { kind: 'int'; value: bigint }
  | { kind: 'float'; value: number }
  | { kind: 'bool'; value: boolean }
  | { kind: 'type'; value: DType }
  | { kind: 'shape'; value: Shape }
  | { kind: 'tensor'; value: Tensor }
  | { kind: 'func'; value: FunctionRef }
  | { kind: 'list'; value: Attr[] }
  /** Only inside function bodies: filled in from the calling node's attribute of that name. */
  | { kind: 'placeholder'; value: string };

/** A function named in an attribute, with the attributes it is instantiated with. */
export interface FunctionRef {
  name: string;
  attrs: Map<string, Attr>;
}

const text = new TextEncoder();

/** Short constructors for the attributes that passes write. */
export const attr = {
  string: (value: string): Attr => ({ kind: 'string', value: text.encode(value) }),
  int: (value: number | bigint): Attr => ({ kind: 'int', value: BigInt(value) }),
  float: (value: number): Attr => ({ kind: 'float', value }),
  bool: (value: boolean): Attr => ({ kind: 'bool', value }),
  type: (value: DType): Attr => ({ kind: 'type', value }),
  shape: (value: Shape): Attr => ({ kind: 'shape', value }),
  tensor: (value: Tensor): Attr => ({ kind: 'tensor', value }),
  ints: (values: readonly number[]): Attr => ({ kind: 'list', value: values.map((v) => attr.int(v)) }),
  types: (values: readonly DType[]): Attr => ({ kind: 'list', value: values.map((v) => attr.type(v)) }),
  func: (name: string): Attr => ({ kind: 'func', value: { name, attrs: new Map() } }),
};

/** The functions that attributes name, also in lists. */
export function functionsIn(values: Iterable<Attr>): FunctionRef[] {
  const refs: FunctionRef[] = [];
  addFunctions(values, refs);
  return refs;
}

/** Into one list: every node of a graph is asked, several times. */
function addFunctions(values: Iterable<Attr>, refs: FunctionRef[]): void {
  for (const value of values) {
    if (value.kind === 'func') refs.push(value.value);
    else if (value.kind === 'list') addFunctions(value.value, refs);
  }
}
