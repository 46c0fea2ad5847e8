import { defineModule } from '#modules/kit/index.ts';
import { fuzz } from './events.ts';
import { careless, marks } from './reducers.ts';

export default defineModule({
  name: 'fuzz',
  title: 'What broken input must not change',
  sources: [fuzz],
  reducers: [careless, marks],
});
