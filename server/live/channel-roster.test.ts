import { afterEach, expect, test, vi } from 'vitest';
import { changed, channelOf, classroom, closeChannels, named } from './channel.testing.ts';
import { countedQuery, note } from './school.bench.ts';

afterEach(closeChannels);

test('when the lesson starts every row runs again; when nothing of the class changed none does', async () => {
  const { query, runs } = countedQuery();
  const { channel } = await channelOf(query);
  channel.setRoster({ classroom, students: named('ada', 'bo') });
  channel.setRoster({ classroom, students: named('bo', 'ada') });
  await changed(channel);
  expect(channel.snapshot().order).toEqual(['bo', 'ada']);
  expect([...runs.values()]).toEqual([1, 1]);
  channel.setRoster({ classroom: { ...classroom, lessonAt: 5 }, students: named('bo', 'ada') });
  await vi.waitFor(() => expect([...runs.values()]).toEqual([2, 2]));
});

test('a student who leaves is forgotten with all that was known of her', async () => {
  const { query } = countedQuery();
  const { channel, states } = await channelOf(query);
  states.set(note, 'ada', { words: 5, text: 'hers' });
  await changed(channel);
  channel.setRoster({ classroom, students: named('bo') });
  await changed(channel);
  expect([...channel.snapshot().rows.keys()]).toEqual(['bo']);
  channel.setRoster({ classroom, students: named('bo', 'ada') });
  expect(channel.snapshot().rows.has('ada')).toBe(false);
  await changed(channel);
  expect(channel.snapshot().order).toEqual(['bo', 'ada']);
});
