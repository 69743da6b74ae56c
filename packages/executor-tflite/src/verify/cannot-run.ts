import { FloeError } from '@floe/export-core';

/** An engine cannot run a model, which says nothing about whether it is right. */
export class CannotRun extends FloeError {
  constructor(
    /** Completes "cannot be run: …". */
    readonly reason: string,
  ) {
    super({ code: 'V002', severity: 'error', message: `the model cannot be run: ${reason}` });
    this.name = 'CannotRun';
  }
}
