import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, writeFiles } from '../stages/testing/fake-model';
import { writeFileAtomic } from './atomic';
import { removeLeftovers, temporaryName } from './leftovers';

it('removes what dead processes left of these files, and nothing else', () => {
  const folder = temporaryFolder();
  const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
  const kept = [
    'graph.pb',
    `.other.pb.${dead}.staged`,
    temporaryName('graph.pb', 'staged'),
    `.graph.pb.${dead}`,
    `.graph.pb.1.staged`,
  ];
  const gone = [
    `.graph.pb.${dead}.staged`,
    `.graph.pb.${dead}.0a1b.tmp`,
    `..graph.pb.${dead}.staged.${dead}.0a1b.tmp`,
  ];
  writeFiles(folder, Object.fromEntries([...kept, ...gone].map((name) => [name, ''])));
  removeLeftovers([join(folder, 'graph.pb'), join(folder, 'none/such')]);
  expect(readdirSync(folder).sort()).toEqual(kept.sort());
});

it('says K005 when the system refuses to write, and leaves nothing behind', () => {
  const folder = temporaryFolder();
  writeFiles(folder, { file: '' });
  mkdirSync(join(folder, 'taken/full'), { recursive: true });
  expect(() => writeFileAtomic('file/below', 'x', folder)).toThrow(/K005.*cannot be written/);
  expect(() => writeFileAtomic('taken', 'x', folder)).toThrow(/K005.*cannot be written/);
  expect(readdirSync(folder).sort()).toEqual(['file', 'taken']);
});
