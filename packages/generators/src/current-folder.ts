import { isAbsolute, relative } from 'node:path';
import type { Tree } from '@nx/devkit';

/** The folder that paths of options are relative to: where the command was typed, as long as that is inside. */
export function currentFolder(tree: Tree): string {
  const way = relative(tree.root, process.cwd());
  return way.startsWith('..') || isAbsolute(way) ? tree.root : process.cwd();
}
