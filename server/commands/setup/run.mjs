import { spawn, spawnSync } from 'node:child_process';
import { delimiter, resolve } from 'node:path';

const bin = resolve('node_modules/.bin');
const pathWithBin = () => [bin, process.env.PATH].join(delimiter);

/** Runs a tool of the project under the project's Node, with the terminal; gives its exit code. */
export function run(tool, args, env = {}) {
  const done = spawnSync(resolve(bin, tool), args, {
    stdio: 'inherit',
    env: { ...process.env, PATH: pathWithBin(), ...env },
  });
  return done.status ?? 1;
}

/** Runs a command under the project's Node while others run; what it prints comes with its exit code, its errors at once. */
export function runQuietly(command, args) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, PATH: pathWithBin() },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', fail);
    child.on('close', (code) => done({ code: code ?? 1, output }));
  });
}

/** Replaces this process as far as one can: signals go on to the child, its exit code is ours. */
export function runNode(args, env = {}) {
  const child = spawn(resolve(bin, 'node'), args, {
    stdio: 'inherit',
    env: { ...process.env, PATH: pathWithBin(), ...env },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
  return undefined;
}

/** Runs a quiet tool and shows that it is still at work; its output is shown when it fails. */
export function runWithProgress(title, command, args, env = {}) {
  return new Promise((done, fail) => {
    const started = Date.now();
    const seconds = () => Math.round((Date.now() - started) / 1000);
    console.log(`${title} …`);
    const beat = setInterval(() => console.log(`  still at it after ${seconds()} s`), 10_000);
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: pathWithBin(), ...env },
    });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', fail);
    child.on('close', (code) => {
      clearInterval(beat);
      if (code === 0) {
        console.log(`  done in ${seconds()} s`);
        done();
      } else {
        console.error(output);
        fail(new Error(`${title}: ${command} ended with ${code}`));
      }
    });
  });
}
