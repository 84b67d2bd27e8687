import { confluent } from './clients/confluent.js'
import { adminTests } from './matrix/admin.js'
import { clientSuite } from './matrix/client-suite.js'
import { cutTests } from './matrix/cut-connections.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'
import { createTopic } from './matrix/topics.js'

const client = confluent()
clientSuite(client, (bench) => {
  recordTests(bench)
  adminTests(bench, ['electLeaders', 'maxTimestamp'])
  groupTests(bench, { assignors: ['range', 'roundrobin', 'cooperative'], statics: 'closed or killed' })
  groupTests(bench, {
    assignors: ['uniform', 'broker-range'],
    statics: 'closed',
    title: 'groups of the consumer protocol',
  })
})
cutTests(client, (...where) => createTopic(client, ...where), { count: 2400 })
