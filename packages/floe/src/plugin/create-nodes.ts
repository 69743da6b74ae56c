/** Nx's question "which projects are there?", answered for every model.yaml. */
import { dirname, join } from 'node:path';
import { loadDescriptor, type Memo } from '@floe/export-core';
import type { CreateNodesContext, CreateNodesResultArray } from '@nx/devkit';
import { outlineOf, projectOf, type ModelOutline } from './targets';
import { codeVersion, keysInFiles, rememberModels, workspaceMemo } from './workspace-data';

/**
 * A project for each model.yaml. Never throws over a user's file: one wrong model must not take `nx` from the
 * others.
 */
export function createModelNodes(
  files: readonly string[],
  { workspaceRoot }: Pick<CreateNodesContext, 'workspaceRoot'>,
): CreateNodesResultArray {
  const sorted = [...files].sort();
  rememberModels(workspaceRoot, sorted);
  const outlines = new Outlines(workspaceRoot);
  const inFiles = keysInFiles();
  const taken = new Set<string>();
  const nodes = sorted.map((file): CreateNodesResultArray[number] => {
    const root = dirname(file).replaceAll('\\', '/');
    const outline = outlines.read(file);
    const name = freeName(outline.name, root, taken);
    taken.add(name);
    return [file, { projects: { [root]: projectOf(outline, root, name, inFiles) } }];
  });
  outlines.save();
  return nodes;
}

/** Outlines of a workspace's models, each remembered for as long as its model.yaml is not touched. */
export class Outlines {
  private readonly memo: Memo;
  private readonly kind = `outline ${codeVersion()}`;

  constructor(private readonly workspaceRoot: string) {
    this.memo = workspaceMemo(workspaceRoot, 'graph');
  }

  /** @param file a model.yaml, relative to the workspace */
  read(file: string): ModelOutline {
    const path = join(this.workspaceRoot, file);
    try {
      return this.memo.get(this.kind, path, () => outlineOf(loadDescriptor(path)));
    } catch {
      // It is gone or cannot be read: then loadDescriptor says so to whoever runs a target.
      return outlineOf(loadDescriptor(path));
    }
  }

  save(): void {
    this.memo.save();
  }
}

/**
 * Two projects of one name make every Nx command fail. The first model in order of paths keeps a name that several
 * have; the others are called by their path.
 */
function freeName(name: string, root: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const byPath = root.replaceAll('/', '-');
  let free = byPath;
  for (let i = 2; taken.has(free); i++) free = `${byPath}-${i}`;
  return free;
}
