import { platformatic } from './clients/platformatic.js'
import { adminTests } from './matrix/admin.js'
import { clientSuite } from './matrix/client-suite.js'
import { cutTests } from './matrix/cut-connections.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'
import { createTopic } from './matrix/topics.js'

const client = platformatic()
clientSuite(client, (bench) => {
  recordTests(bench)
  adminTests(bench, ['deleteGroupOffsets', 'logDirs', 'quotas'])
  // Records that it has read ahead are handed out again after a rebalance, on Apache Kafka too, and closing a static
  // member leaves the group.
  // Records that it has read ahead are handed out again after a rebalance, on Apache Kafka too, and closing a static
  // member leaves the group.
  groupTests(bench, { assignors: ['roundrobin'], statics: 'killed', promises: 'at least once' })
})
cutTests(client, (...where) => createTopic(client, ...where), { count: 1500, perBatch: 30 })
