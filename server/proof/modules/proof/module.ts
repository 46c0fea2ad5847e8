import { defineModule } from '#modules/kit/index.ts';
import { proof, proofEcho } from './events.ts';
import { proofCount, proofEchoed, proofHash, proofIds, proofRipple, proofStory } from './reducers.ts';

export default defineModule({
  name: 'proof',
  title: 'What crashes must not change',
  sources: [proof, proofEcho],
  reducers: [proofCount, proofIds, proofHash, proofRipple, proofEchoed, proofStory],
});
