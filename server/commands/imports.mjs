// The import rules, and a floor: with the wrong parser the cruiser sees no module at all and reports that all is well.
import { cruise } from 'dependency-cruiser';
import config from '../../.dependency-cruiser.mjs';

const FLOOR = 100;
const { output } = await cruise(['app', 'server', 'modules'], {
  ...config.options,
  validate: true,
  ruleSet: { forbidden: config.forbidden },
});
const { totalCruised, violations } = output.summary;
for (const { rule, from, to } of violations) console.error(`${rule.name}: ${from} → ${to}`);
console.log(`${totalCruised} files cruised, ${violations.length} violations`);
if (totalCruised < FLOOR)
  console.error(`only ${totalCruised} files were seen: the parser does not read them.`);
process.exitCode = violations.length > 0 || totalCruised < FLOOR ? 1 : 0;
