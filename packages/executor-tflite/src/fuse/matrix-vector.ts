/**
 * Given:  y = BATCH_MATMUL(A, v)      A a constant matrix, v one column
 * Result: y = RESHAPE(FULLY_CONNECTED(RESHAPE(v), A))      where v is one row
 *
 * The operator keeps A as a layer's weights; the RESHAPEs mostly meet others that made the column.
 */
import { TfliteOp, TfliteTensor, type TfliteSubgraph } from '../tflite/model';
import { intConstant, SubgraphEdit } from './edit';

export function fuseMatrixVector(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    if (op.code !== 'BATCH_MATMUL' || op.options?.adj_x || op.options?.adj_y) continue;
    const [matrix, column] = op.inputs as TfliteTensor[];
    const made = edit.plain(column, 'RESHAPE');
    if (!matrix.isConstant || matrix.type !== 'FLOAT32' || matrix.shape?.length !== 2 || !made) continue;
    const [rows, columns] = matrix.shape;
    if (String(column.shape) !== String([columns, 1]) || !edit.usedOnce(column)) continue;
    const [result] = op.outputs;
    const row = new TfliteTensor(`${result.name}/row`, 'FLOAT32', [1, columns]);
    const product = new TfliteTensor(`${result.name}/product`, 'FLOAT32', [1, rows]);
    // The RESHAPE that made the column makes the row.
    edit.become(made, 'RESHAPE', [made.inputs[0], intConstant(`${row.name}/shape`, [1, columns])]);
    edit.setOutput(made, row);
    edit.become(op, 'FULLY_CONNECTED', [row, matrix, undefined], { type: 'FullyConnectedOptions' });
    edit.setOutput(op, product);
    const sizes = intConstant(`${result.name}/shape`, [rows, 1]);
    edit.insertAfter(op, new TfliteOp('RESHAPE', [product, sizes], [result]));
  }
  return edit.commit();
}
