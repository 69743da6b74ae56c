/** Variables that stay variables: the state of a model between invocations. */
import { kernelTakes, refuseType } from './kernel-types';
import type { LoweringTable } from './row';

export const table: LoweringTable = {
  VarHandleOp: {
    to: ['VAR_HANDLE'],
    refuse: (node) =>
      kernelTakes('ASSIGN_VARIABLE', node.type('dtype'))
        ? undefined
        : { reason: `the runtime has no variables of type ${node.type('dtype')}` },
    build: (c) =>
      c.emit('VAR_HANDLE', [], [c.output()], {
        type: 'VarHandleOptions',
        container: c.node.string('container'),
        shared_name: c.node.string('shared_name') || c.node.name,
      }),
  },
  ReadVariableOp: {
    to: ['READ_VARIABLE'],
    refuse: (node) => refuseType('READ_VARIABLE', node.type('dtype')),
    build: (c) => c.emit('READ_VARIABLE', c.inputs(), [c.output()]),
  },
  AssignVariableOp: {
    to: ['ASSIGN_VARIABLE'],
    refuse: (node) => refuseType('ASSIGN_VARIABLE', node.type('dtype')),
    build: (c) => c.emit('ASSIGN_VARIABLE', c.inputs(), []),
  },
};
