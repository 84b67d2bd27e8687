import { basename, relative, sep } from 'node:path'

/**
 * How to call this command line again, from `directory`, as it was started from `script` (argv[1]): by its name where it is
 * on the PATH, through npx in a project that installed it, else by node and the file.
 */
export function ownCommand(script: string, directory: string): string {
  if (basename(script) === 'seglog') return script.includes(`node_modules${sep}.bin${sep}`) ? 'npx seglog' : 'seglog'
  const path = relative(directory, script)
  const shown = path.startsWith('..') ? script : path
  return `node ${/^[\w./\\:@+-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`}`
}

/** Three lines that work as pasted into another terminal: write, read, look. */
export function linesToTry(command: string, bootstrap: string, isAutoCreating: boolean): string[] {
  const to = `--bootstrap ${bootstrap}`
  const look = isAutoCreating ? `${command} topic list ${to}` : `${command} topic create hello --if-not-exists ${to}`
  const write = `echo 'hello, log' | ${command} produce hello ${to}`
  const read = `${command} consume hello ${to}`
  return isAutoCreating ? [write, read, look] : [look, write, read]
}
