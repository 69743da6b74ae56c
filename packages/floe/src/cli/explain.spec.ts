import { CODES } from '@floe/export-core';
import { runCommand } from './main';
import type { Terminal } from './terminal';

async function floe(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const io: Terminal = {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    color: false,
    cwd: '/',
  };
  return { code: await runCommand(args, io), ...said };
}

describe('floe explain', () => {
  it('prints cause, example and cure of a code, however it is written', async () => {
    const { code, out } = await floe('explain', 'g001');
    expect(code).toBe(0);
    expect(out).toMatch(/^G001: tensor not in the graph\n\n.+\n\nExample: .+\n\nCure: .+\n$/s);
  });

  it('lists every code', async () => {
    const { out } = await floe('explain');
    expect(out.match(/^ {2}[A-Z]\d{3} /gm)).toHaveLength(Object.keys(CODES).length);
  });

  it('prints JSON', async () => {
    const { out } = await floe('explain', 'T006', '--json');
    expect(JSON.parse(out)).toMatchObject({
      code: 'T006',
      title: expect.any(String),
      cure: expect.any(String),
    });
  });

  it('names near codes for one that is none', async () => {
    expect(await floe('explain', 'G0001')).toMatchObject({ code: 2, err: expect.stringContaining('G001') });
    expect(await floe('explain', 'nonsense')).toMatchObject({
      code: 2,
      err: expect.stringContaining('floe explain'),
    });
  });
});
