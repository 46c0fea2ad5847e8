import type { Random } from './random.ts';

/** Invented sentences about places; an essay is some of them in an order of its own. */
const OPENINGS = [
  'The place I know best is the lighthouse at the end of our road.',
  'If you want to understand our town you have to stand on the market square at six in the morning.',
  'My grandmother says that a garden is a letter to people who are not born yet.',
  'Behind the school there is a field that floods every spring.',
  'The bus depot is not beautiful, but it is where everything begins.',
  'Nobody visits the old cinema any more, and that is why I like it.',
  'The allotments behind the railway line belong to families who have no land of their own.',
  'There is a launderette on our corner that never closes.',
  'The canal freezes at the edges first.',
  'Our library has one window that does not open and one that does not close.',
  'The swimming pool smells the same in every country I have been to.',
  'My uncle repairs clocks in a room that is smaller than our kitchen.',
] as const;

const MIDDLES = [
  'When the river is low you can walk to the island, and on the island there is a hut with no door.',
  'People think that it is quiet there, but if you listen you hear pipes and pigeons.',
  'The woman who sells the tickets knows every name, and she never asks for a card.',
  'I used to be ashamed of the smell that stays in your coat, but now I think of it as a kind of stamp.',
  'In winter the windows steam up and somebody always draws a fish.',
  'It was built by the people who use it, and that is why nobody breaks anything on purpose.',
  'There are sixty-two steps, and I know which ones creak.',
  'My sister says that it is only a wall, but walls are where cities keep their memory.',
  'On Sundays the car park is empty and it belongs to us.',
  'We made goals of two bins and a rope, and the game went on until we could not see the ball.',
  'You can borrow a drill there, or a cake tin, or a football for a week.',
  'The man with the dog comes at four, and the dog comes at five to four.',
  'If one tree went he would find another, but it would not be the same shade.',
  'From up there you can see three churches, two chimneys and the sea when it is not raining.',
  'What I like most is that nobody there is in a hurry.',
  'Once the power went out and everybody stayed, and somebody sang.',
  'The floor is uneven, so every cup has its own way to slide.',
  'There is a map on the wall from before the bridge, and our street is a meadow on it.',
  'A visitor would notice the noise first, and only then the colours.',
  'The paint comes off in leaves, and under the green there is blue, and under the blue there is a name.',
  'They wanted to close it twice, and twice the hall was full.',
  'My father met his best friend there, because they had both come for the same umbrella.',
  'I have read my worst and my best books on those stairs.',
  'The rule is that whoever comes last puts out the lamps.',
  'It is warm and it is open late, which are two good reasons to do homework there.',
  'When it rains the roof plays a different tune on each side.',
] as const;

const TURNS = [
  'Some people say that we should spend the money on something new.',
  'I know that not everybody feels like this about it.',
  'Of course it has changed since I was small.',
  'You could argue that a place is only stones and habits.',
  'For a long time I did not think about any of this.',
] as const;

const CLOSINGS = [
  'That is why I would keep it exactly as it is, with the draught and the crooked door.',
  'In conclusion it is small, and it is not tidy, but it is the first place where I was trusted with a key.',
  'If it closed we would lose more than a building, because we would lose the reason to walk that way.',
  'So when somebody asks me where I am from, I think of that sound before I think of a name.',
  'I hope that it is still there when I come back with grey hair and a slow dog.',
] as const;

/** Three or four paragraphs, about 180 to 320 words. */
export function inventEssay(random: Random): string {
  const middles = random.shuffled(MIDDLES);
  const first = [random.pick(OPENINGS), ...middles.slice(0, 3 + random.below(2))];
  const second = [random.pick(TURNS), ...middles.slice(5, 8 + random.below(3))];
  const third = [...middles.slice(11, 12 + random.below(3)), random.pick(CLOSINGS)];
  return [first, second, third].map((sentences) => sentences.join(' ')).join('\n');
}

/** What a pupil brings from elsewhere. Longer than the 200 characters that the large-paste rule counts. */
export const BORROWED =
  'The building was erected in 1911 on the initiative of a local benefactor and was extended in 1936 by a hall for public lectures. After a fire in 1954 the roof was renewed in a simplified form, and since 1988 the ensemble has been protected as a monument of regional importance.';
