/** Brings every model.yaml of a workspace to the version that this Floe reads; part of `nx migrate`. */
import { formatFiles, globAsync, logger, type Tree } from '@nx/devkit';
import { migrateText } from './migrate-text';

/** Changes what has to be changed; a file that cannot be migrated is named, and left as it is. */
export default async function migrateModelYaml(tree: Tree): Promise<void> {
  for (const file of (await globAsync(tree, ['**/model.yaml'])).sort()) {
    const result = migrateText(tree.read(file, 'utf8') ?? '');
    if (result.outcome === 'changed') {
      tree.write(file, result.text);
      logger.info(`${file}: ${result.changes.join('; ')}`);
    } else if (result.outcome === 'refused') {
      logger.warn(`${file} was not migrated: ${result.reason}`);
    }
  }
  await formatFiles(tree);
}
