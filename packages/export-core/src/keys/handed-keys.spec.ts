import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { temporaryFolder } from '../stages/testing/fake-model';
import { handedKey, handInEnvironment, handInFiles, keyName, keyVariable, type Keys } from './handed-keys';

const keysOf = (keys: Record<string, string>): Keys =>
  new Map(Object.entries(keys).map(([target, key]) => [keyName('a', target), key]));

/** A command of a workspace: hands its keys over, and reads them as its executors do. */
function command(folder: string, name: string, keys: Keys): (target: string) => string | undefined {
  const env: NodeJS.ProcessEnv = {};
  handInFiles(env, keys, folder, `${folder}-${name}`);
  return (target) => handedKey(env, 'a', target);
}

const fileOf = (folder: string, target: string): string => join(folder, keyName('a', target));

describe('the name of a key', () => {
  it('is the same for one project however it is written', () => {
    expect(keyName('models/a', 'export-tflite:int8')).toMatch(/^[A-Z2-7]{10}$/);
    expect(keyName('models\\a', 'freeze')).toBe(keyName('./models/a/', 'freeze'));
    expect(keyName('', 'freeze')).toBe(keyName('.', 'freeze'));
    expect(keyName('a', 'freeze')).not.toBe(keyName('a', 'convert'));
  });
});

describe('keys in the environment', () => {
  it('are found again, and those of files before them are not', () => {
    const folder = join(temporaryFolder(), 'keys');
    const env: NodeJS.ProcessEnv = {};
    handInFiles(env, keysOf({ freeze: 'old' }), folder, `${folder}-1`);
    handInEnvironment(env, keysOf({ freeze: 'k1', convert: '' }));
    expect(env[keyVariable(keyName('a', 'freeze'))]).toBe('k1');
    expect(handedKey(env, 'a', 'freeze')).toBe('k1');
    expect(handedKey(env, 'a', 'convert')).toBe('');
    expect(handedKey(env, 'a', 'verify')).toBeUndefined();
  });
});

describe('keys in files', () => {
  it('have a file each, which is not written again for the same key', () => {
    const folder = join(temporaryFolder(), 'keys');
    const first = command(folder, '1', keysOf({ freeze: 'k1', convert: 'k2', broken: '' }));
    expect([first('freeze'), first('convert'), first('broken'), first('other')]).toEqual([
      'k1',
      'k2',
      '',
      undefined,
    ]);
    expect(readFileSync(fileOf(folder, 'freeze'), 'utf8')).toBe('k1');
    const inode = statSync(fileOf(folder, 'freeze')).ino;
    const second = command(folder, '2', keysOf({ freeze: 'k1', convert: 'k3' }));
    expect(statSync(fileOf(folder, 'freeze')).ino).toBe(inode);
    expect(second('convert')).toBe('k3');
    expect(existsSync(fileOf(folder, 'broken'))).toBe(false);
  });

  it('are written again when somebody removed, changed or replaced them', () => {
    const folder = join(temporaryFolder(), 'keys');
    const keys = keysOf({ freeze: 'k1', convert: 'k2', validate: 'k3' });
    command(folder, '1', keys);
    rmSync(fileOf(folder, 'freeze'));
    writeFileSync(fileOf(folder, 'convert'), 'xx');
    command(folder, '2', keys);
    for (const [name, key] of keys) expect(readFileSync(join(folder, name), 'utf8')).toBe(key);
    writeFileSync(join(folder, 'keys.json'), '{"keys": [');
    expect(command(folder, '3', keys)('validate')).toBe('k3');
  });

  it('are refused by a command where a later one has written them, also when they are the same again', () => {
    const folder = join(temporaryFolder(), 'keys');
    const first = command(folder, '1', keysOf({ freeze: 'k1', convert: 'k2' }));
    const second = command(folder, '2', keysOf({ freeze: 'other', convert: 'k2' }));
    expect(() => first('freeze')).toThrow(/freeze was given another key/);
    expect(first('convert')).toBe('k2');
    expect(second('freeze')).toBe('other');
    const third = command(folder, '3', keysOf({ freeze: 'k1', convert: 'k2' }));
    expect(() => first('freeze')).toThrow(/another key/);
    expect(third('freeze')).toBe('k1');
  });

  it('end the command when they cannot be written: Nx would hash those of an earlier one', () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'keys'), 'a file in place of the folder');
    expect(() => command(join(root, 'keys'), '1', keysOf({ freeze: 'k1' }))).toThrow(/cannot be written/);
  });

  it('are always the last command’s, whatever ran before', () => {
    const targets = ['freeze', 'validate', 'convert'];
    const step = fc.dictionary(fc.constantFrom(...targets), fc.constantFrom('k1', 'k2', ''));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const folder = join(temporaryFolder(), 'keys');
        for (const [i, keys] of steps.entries()) {
          const read = command(folder, String(i), keysOf(keys));
          for (const target of targets) {
            expect(read(target)).toBe(keys[target]);
            const file = fileOf(folder, target);
            expect(existsSync(file) ? readFileSync(file, 'utf8') : undefined).toBe(keys[target]);
          }
          expect(readdirSync(folder).filter((name) => name.includes('tmp'))).toEqual([]);
        }
      }),
      { numRuns: 25 },
    );
  });
});
