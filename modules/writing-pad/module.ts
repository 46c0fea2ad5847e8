import { defineModule } from '#modules/kit/index.ts';
import { writingPad } from './events.ts';
import { padText } from './reducers.ts';

export default defineModule({
  name: 'writing-pad',
  title: 'Writing pad',
  sources: [writingPad],
  reducers: [padText],
});
