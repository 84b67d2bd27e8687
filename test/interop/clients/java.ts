import { join } from 'node:path'
import { fetchJars } from '../kafka.js'
import { codecs } from './foreign-client.js'
import { cache, javaClasses, mavenFolder } from './install.js'
import { ProgramClient } from './program-client.js'

/** Apache Kafka's own clients and tools, from their published jars. */
export function javaClient(line: 3 | 4): ProgramClient {
  const version = line === 3 ? '3.9.2' : '4.3.1'
  return new ProgramClient({
    name: `Java ${version}`,
    codecs,
    assignors: ['range', 'roundrobin', 'sticky', 'cooperative'],
    prepare: async () => {
      const jars = jarsOf(line)
      const classes = javaClasses(`java-${line}`, jars, ['Client.java', 'AdminCalls.java', 'Tools.java'])
      const options = ['-Xmx400m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
      return { command: ['java', ...options, '-cp', [classes, join(jars, '*')].join(':'), 'Client'] }
    },
  })
}

/** The folder with the jars of a release line; those of 4.x are the referee's too. */
export function jarsOf(line: 3 | 4): string {
  if (line === 3) return mavenFolder('kafka-3', join(__dirname, '..', 'pom-3.xml'))
  fetchJars()
  return join(cache, 'libs')
}
