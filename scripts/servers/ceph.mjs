// S3 with Ceph's object gateway: a whole cluster (one monitor, one store, the gateway) for one user, on free ports of
// 127.0.0.1, with all its state in one folder. Running it needs no root, systemd or container.
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aptInstall } from '../lib/apt.mjs'
import { freePorts, programPath, startDaemon, untilListening } from '../lib/daemons.mjs'
import { run } from '../lib/run.mjs'

const packages = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common']
const programs = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph', 'ceph-authtool', 'monmaptool']

const key = { id: 'ivcap-tests', secret: 'a-secret-of-the-tests-alone' }

/** @type {import('../lib/servers.mjs').Server} */
export const ceph = {
  name: 'ceph',
  tests: "S3, against Ceph's object gateway",
  present: () => programs.every((program) => programPath(program) !== undefined),
  install: () => aptInstall(packages),
  up,
}

/** @param {string} folder */
async function up(folder) {
  const [v2 = 0, v1 = 0, port = 0] = await freePorts(3)
  const monitor = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`
  const fsid = randomUUID()
  for (const name of ['mon', 'osd', 'rgw', 'run']) mkdirSync(join(folder, name))
  const conf = join(folder, 'ceph.conf')
  writeFileSync(conf, settings({ folder, fsid, monitor, port }))

  await makeKeys(folder)
  await must('monmaptool', ['--create', '--fsid', fsid, '--addv', 'a', monitor, join(folder, 'monmap')])
  const keyring = ['--keyring', join(folder, 'keyring')]
  await must('ceph-mon', ['-c', conf, '-i', 'a', '--mkfs', '--monmap', join(folder, 'monmap'), ...keyring])
  startDaemon(folder, 'mon', 'ceph-mon', ['-c', conf, '-i', 'a', '-f'])
  await untilListening(v2, folder, 30)

  const osd = randomUUID()
  await must('ceph', ['-c', conf, '--connect-timeout', '60', 'osd', 'new', osd])
  await must('ceph-osd', ['-c', conf, '-i', '0', '--mkfs', '--osd-uuid', osd])
  startDaemon(folder, 'osd', 'ceph-osd', ['-c', conf, '-i', '0', '-f'])

  // The gateway and radosgw-admin create missing pools, and wait until the store can hold them.
  startDaemon(folder, 'rgw', 'radosgw', ['-c', conf, '-n', 'client.rgw.a', '-f'])
  const user = ['--uid=tests', '--display-name=Tests', `--access-key=${key.id}`, `--secret-key=${key.secret}`]
  await must('radosgw-admin', ['-c', conf, 'user', 'create', ...user])
  await untilListening(port, folder, 120)
  return {
    IVCAP_TEST_S3_ENDPOINT: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: key.id,
    AWS_SECRET_ACCESS_KEY: key.secret,
    AWS_REGION: 'us-east-1',
  }
}

/** Creates the keys with which the parts of the cluster authenticate each other. @param {string} folder */
async function makeKeys(folder) {
  const keyring = join(folder, 'keyring')
  const all = ['--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *']
  const make = (/** @type {readonly string[]} */ args) =>
    must('ceph-authtool', [keyring, '--gen-key', ...args])
  await must('ceph-authtool', ['--create-keyring', keyring])
  await make(['-n', 'mon.', '--cap', 'mon', 'allow *'])
  await make(['-n', 'client.admin', '--cap', 'mon', 'allow *', ...all])
  await make(['-n', 'osd.0', '--cap', 'mon', 'allow profile osd', ...all])
  await make(['-n', 'client.rgw.a', '--cap', 'mon', 'allow rwx', ...all])
}

/** @param {string} program @param {readonly string[]} args */
async function must(program, args) {
  const { code, output } = await run(program, args, { quiet: true })
  if (code !== 0) throw new Error(`${program} failed:\n${output.trimEnd()}`)
}

/**
 * Returns ceph.conf. There is only one copy of all data. The store is in memory (4 GiB), or on disk with OSD_STORE=bluestore, which
 * benchmarks need. The space of deleted objects is freed within seconds, not hours, because a full store does not respond.
 *
 * @param {{ folder: string, fsid: string, monitor: string, port: number }} cluster
 */
function settings({ folder, fsid, monitor, port }) {
  return `[global]
fsid = ${fsid}
mon_host = ${monitor}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_allow_insecure_global_id_reclaim = false
keyring = ${folder}/keyring
run_dir = ${folder}/run
crash_dir = ${folder}/run
admin_socket = ${folder}/run/$name.asok
pid_file = ${folder}/run/$name.pid
log_file = ${folder}/$name.log
mon_data = ${folder}/mon
osd_data = ${folder}/osd
rgw_data = ${folder}/rgw
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_crit = 1
osd_objectstore = ${process.env['OSD_STORE'] || 'memstore'}
memstore_device_bytes = ${4 * 2 ** 30}
memstore_page_set = false
bluestore_block_size = ${16 * 2 ** 30}
rgw_frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw_thread_pool_size = 64
rgw_run_sync_thread = false
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 5
rgw_enable_usage_log = false
rgw_dynamic_resharding = false
`
}
