/**
 * The runtime does not take models with variables, which LSTM operators keep their states in; and it would not tell
 * the cell states, which integer LSTMs need the range of.
 *
 * Given:  y = UNIDIRECTIONAL_SEQUENCE_LSTM(x, weights, states)
 * Result: y = PACK(h₁, h₂, …), every step written out in simple operators, from zero states; and PACK(c₁, c₂, …)
 *
 * Quantised LSTMs are computed in float, with the weights they have, and their states rounded to the types they have.
 */
import { Tensor } from '@floe/export-core';
import { dtypeOf, TfliteOp, TfliteTensor, type TfliteModel } from '../tflite/model';
import { dequantizeValues } from './affine';
import { hasPlainGates, LSTM_INPUTS } from './plan-lstm';

/** More steps would make a model that is too long to run. */
const MAX_STEPS = 4096;

/**
 * Replaces the LSTMs of a model that can be; their inputs and outputs keep their tensors.
 *
 * @returns by the operator's cell state variable, a tensor with the states after each step
 */
export function unrollLstms(model: TfliteModel): Map<TfliteTensor, TfliteTensor> {
  const cells = new Map<TfliteTensor, TfliteTensor>();
  for (const graph of model.subgraphs) {
    graph.ops = graph.ops.flatMap((op) => {
      if (op.code !== 'UNIDIRECTIONAL_SEQUENCE_LSTM' || !hasPlainGates(op)) return [op];
      const input = op.inputs[LSTM_INPUTS.input]!;
      const timeAxis = op.options?.time_major ? 0 : 1;
      if (!input.isStatic || input.shape![timeAxis] > MAX_STEPS) return [op];
      const unrolled = new Unroller(op, input, timeAxis);
      cells.set(op.inputs[LSTM_INPUTS.cellState]!, unrolled.cells);
      return unrolled.ops;
    });
  }
  return cells;
}

class Unroller {
  readonly ops: TfliteOp[] = [];
  readonly cells: TfliteTensor;
  private readonly state: number[];
  /** Weights of the state, by gate. */
  private readonly recurrent: TfliteTensor[];

  constructor(
    private readonly lstm: TfliteOp,
    input: TfliteTensor,
    timeAxis: number,
  ) {
    const steps = input.shape![timeAxis];
    const x = this.asFloat(input);
    const units = lstm.inputs[LSTM_INPUTS.recurrent[0]]!.shape![0];
    this.state = [input.shape![1 - timeAxis], units];
    const sequence = [...input.shape!.slice(0, 2), units];
    // What the sequence gives to each gate, all steps at once.
    const given = [0, 1, 2, 3].map((gate) => {
      const all = this.tensor(sequence);
      const [weights, bias] = [LSTM_INPUTS.weights, LSTM_INPUTS.biases].map((at) =>
        this.asFloat(lstm.inputs[at[gate]]!),
      );
      this.ops.push(
        new TfliteOp('FULLY_CONNECTED', [x, weights, bias], [all], {
          type: 'FullyConnectedOptions',
          keep_num_dims: true,
        }),
      );
      const each = Array.from({ length: steps }, () => this.tensor(this.state));
      this.ops.push(
        new TfliteOp('UNPACK', [all], each, { type: 'UnpackOptions', num: steps, axis: timeAxis }),
      );
      return each;
    });
    this.recurrent = LSTM_INPUTS.recurrent.map((at) => this.asFloat(lstm.inputs[at]!));
    let [hidden, cell] = [this.zeros(), this.zeros()];
    const [hiddens, cells]: TfliteTensor[][] = [[], []];
    for (let t = 0; t < steps; t++) {
      [hidden, cell] = this.step(
        given.map((each) => each[t]),
        hidden,
        cell,
      );
      hiddens.push(hidden);
      cells.push(cell);
    }
    const packing = { type: 'PackOptions', values_count: steps, axis: timeAxis };
    this.cells = this.tensor(sequence);
    const [output] = lstm.outputs;
    const result = output.quantization ? this.tensor(sequence) : output;
    this.ops.push(new TfliteOp('PACK', hiddens, [result], packing));
    if (result !== output) this.ops.push(new TfliteOp('QUANTIZE', [result], [output]));
    this.ops.push(new TfliteOp('PACK', cells, [this.cells], packing));
  }

  private step(
    given: TfliteTensor[],
    hidden: TfliteTensor,
    cell: TfliteTensor,
  ): [TfliteTensor, TfliteTensor] {
    const [i, f, g, o] = given.map((x, gate) => {
      const weights = this.recurrent[gate];
      const recurrent = this.op('FULLY_CONNECTED', [hidden, weights, undefined], 'FullyConnectedOptions');
      const sum = this.op('ADD', [x, recurrent], 'AddOptions');
      return this.op(gate === CELL_GATE ? 'TANH' : 'LOGISTIC', [sum]);
    });
    const kept = this.op('MUL', [f, cell], 'MulOptions');
    const sum = this.op('ADD', [kept, this.op('MUL', [i, g], 'MulOptions')], 'AddOptions');
    const next = this.rounded(sum, LSTM_INPUTS.cellState);
    const output = this.op('MUL', [o, this.op('TANH', [next])], 'MulOptions');
    return [this.rounded(output, LSTM_INPUTS.outputState), next];
  }

  /** A tensor's real values. */
  private asFloat(tensor: TfliteTensor): TfliteTensor {
    if (!tensor.quantization) return tensor;
    const result = this.tensor(tensor.shape as number[]);
    const { bytes } = tensor.buffer ?? {};
    if (bytes) {
      const { data } = Tensor.fromBytes(dtypeOf(tensor.type)!, result.shape!, bytes);
      const values = dequantizeValues(data as Int8Array, result.shape!, tensor.quantization);
      result.buffer = { bytes: new Uint8Array(values.buffer) };
    } else this.ops.push(new TfliteOp('DEQUANTIZE', [tensor], [result]));
    return result;
  }

  /** A state as the type of the operator's variable holds it. */
  private rounded(value: TfliteTensor, variable: number): TfliteTensor {
    const { type, quantization } = this.lstm.inputs[variable]!;
    if (!quantization) return value;
    const held = new TfliteTensor(`${this.lstm.outputs[0].name}/held_${this.ops.length}`, type, this.state);
    held.quantization = quantization;
    this.ops.push(new TfliteOp('QUANTIZE', [value], [held]));
    return this.op('DEQUANTIZE', [held]);
  }

  private op(code: string, inputs: (TfliteTensor | undefined)[], options?: string): TfliteTensor {
    const result = this.tensor(this.state);
    this.ops.push(
      new TfliteOp(code, inputs, [result], options === undefined ? undefined : { type: options }),
    );
    return result;
  }

  private tensor(shape: number[]): TfliteTensor {
    return new TfliteTensor(`${this.lstm.outputs[0].name}/step_${this.ops.length}`, 'FLOAT32', shape);
  }

  private zeros(): TfliteTensor {
    const tensor = this.tensor(this.state);
    tensor.buffer = { bytes: new Uint8Array(tensor.elements * 4) };
    return tensor;
  }
}

/** Of input, forget, cell and output gate. */
const CELL_GATE = 2;
