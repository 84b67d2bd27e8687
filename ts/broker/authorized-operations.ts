import { operationsNotAsked } from '../protocol/messages/03-metadata.js'

/** Kafka's numbers of the operations that a principal may be allowed. */
const operation = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const

function bits(...names: (keyof typeof operation)[]): number {
  return names.reduce((sum, name) => sum | (1 << operation[name]), 0)
}

/** Without an authorizer everybody may do everything that there is to do with a resource, as Kafka says it then. */
const everything = {
  topic: bits('read', 'write', 'create', 'delete', 'alter', 'describe', 'describeConfigs', 'alterConfigs'),
  group: bits('read', 'delete', 'describe', 'describeConfigs', 'alterConfigs'),
  cluster: bits('create', 'alter', 'describe', 'clusterAction', 'describeConfigs', 'alterConfigs', 'idempotentWrite'),
} as const

/** The bit field that an answer carries where operations were asked for, and where not. */
export function authorizedOperations(resource: keyof typeof everything, asked: boolean): number {
  return asked ? everything[resource] : operationsNotAsked
}
