import { nowAndThen } from './now-and-then';

it('shows nothing of short work, and of long work a line now and then', () => {
  let time = 0;
  const shown: string[] = [];
  const progress = nowAndThen(
    (line) => shown.push(line),
    100,
    () => time,
  );
  for (; time < 350; time += 30) progress(`${time}`);
  expect(shown).toEqual(['120', '240']);
});
