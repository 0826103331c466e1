// The bounds of supervised workers, whatever runs them. Part of limits.ts, where everybody takes them from.

export const supervisionLimits = {
  // Workers under a supervisor
  /** How often a worker looks whether it is to run something else. */
  assignment_look_ms: 250,
  /** Of what is told about a pipeline that failed. */
  pipeline_fault_characters_max: 16_384,
  worker_heartbeat_ms: 1_000,
  /** Without a heartbeat for so long a worker hangs. */
  worker_hang_ms: 3_000,
  /** Until its first heartbeat, and until it is judged by the silence between two: on a slow or busy device it takes long to load what it runs. */
  worker_start_ms_max: 30_000,
  /** Before a worker that was asked to drain is killed: it gives up by itself after `drain_ms_max`. */
  worker_grace_ms: 15_000,
  worker_name_length_max: 64,
  /** What one worker takes beside its pipelines, what all of it may take or be told to, and how many pipelines it runs. */
  worker_base_bytes: 100_663_296,
  worker_memory_bytes_default: 536_870_912,
  worker_memory_bytes_max: 1_099_511_627_776,
  worker_processors_max: 1_024,
  worker_pipelines_max: 100,
  /** What a pipeline is expected to take where nothing says more. */
  pipeline_processors_default: 0.01,
  pipeline_memory_bytes_default: 4_194_304,
  pipeline_processors_max: 64,
  /** Of one pipeline: all of them fit into one worker. */
  partitions_max: 96,
  restart_back_off_ms_min: 200,
  restart_back_off_ms_max: 30_000,
  /** So many failures within so long, and it is not started again by itself. */
  restart_intensity: 5,
  restart_within_ms: 30_000,
  /** The same for failures without having run well in between, however long they take. */
  restart_in_a_row_max: 10,
  /** What ran for so long without a failure is good. */
  restart_good_ms: 10_000,
  /** A revision that is not open so long after its connections were there makes room for the one that ran before it. */
  update_open_ms_max: 60_000,

  // Devices and their control centre
  /** How often a device says that it is there, and for how long it may not before nothing new is given to it. */
  device_contact_ms: 5_000,
  /** How often it looks whether it runs something else than it has said. */
  device_runs_look_ms: 500,
  /** So often in a row somebody else has spoken under a device's name before it counts as another supervisor. */
  device_others_max: 3,
  /** And so often in a row nobody else has, before another one is news again. */
  device_alone_contacts: 12,
  device_silent_ms: 15_000,
  /** How long a host may be out of reach before its pipelines run elsewhere, where the policy says nothing. */
  host_lost_ms: 120_000,
  device_subjects_max: 256,
  device_labels_max: 64,
  control_look_ms: 2_000,
  /** For how long a device that has been given a turn may run it and not have said so. */
  control_entry_fresh_ms: 10_000,
  control_rules_max: 1_000,
  /** What one question over NATS may hold, and how long its answer may take. */
  service_request_bytes_max: 524_288,
  service_answer_ms_max: 5_000,
  /** Requests that wait for the control centre on one device. */
  deployments_waiting_max: 100,

  // What a pipeline keeps, on its way from one host to the next
  /** Of its files; where it has more, the next host begins anew. */
  handover_bytes_max: 67_108_864,
  /** Of one message that takes a part of it. */
  handover_piece_bytes: 262_144,

  // Workers that are processes
  /** From the order to start one until it has a process. */
  process_start_ms_max: 5_000,
  /** How often it is looked whether one has ended. */
  process_poll_ms: 20,
  /** Until the end of one that was killed is written down. */
  process_end_ms_max: 2_000,
  /** Of what one says; the file before is kept as well. */
  process_output_bytes_max: 4_194_304,
  process_output_lines_max: 10_000,

  // The supervisor
  supervisor_look_ms: 1_000,
  /** How often a worker that is being started is asked whether its pipelines run. */
  supervisor_ask_ms: 200,
  supervisor_happenings_max: 200,
  /** Events of a host that wait until somebody can be told. */
  events_waiting_max: 200,
  /** Revisions of a pipeline that the bucket of what is wanted remembers. */
  desired_history_max: 8,
  /** How often it is seen whether the connection to it was cut. */
  desired_check_ms: 1_000,
  /** The same for whether it is the same bucket still. */
  desired_bucket_check_ms: 5_000,
  /** Of its memory that is resident, above which it is tidied, and how long it then rests from that. */
  supervisor_memory_bytes: 83_886_080,
  supervisor_tidy_ms: 10_000,
  /** Pipelines of one host. */
  host_pipelines_max: 10_000,

  // Signed revisions
  signature_bytes_max: 65_536,
  /** Hosts that one signature may name. */
  signature_hosts_max: 1_000,
  /** Of the file of keys that are trusted, and of one that signs. */
  key_file_bytes_max: 65_536,
  /** Reasons of refusals that are remembered, so that each is logged once. */
  refusals_logged_max: 1_000,

  // Scaling
  scale_every_ms: 5_000,
  scale_average_ms: 10_000,
  /** In how long a backlog is to be worked off, and how long it takes until all work after a change. */
  scale_catch_up_ms: 20_000,
  scale_change_ms: 2_000,
  /** Samples in a row that want more before it is given, and after which what it gained is judged. */
  scale_up_samples: 2,
  scale_trial_samples: 3,
  /** How long after an increase there is no decrease, and whose largest want a decrease goes by. */
  scale_down_ms: 120_000,
  /** How long an increase that gained nothing forbids the next. */
  scale_blocked_ms: 600_000,
  /** Share of the host's memory that workers take above which none is added. */
  scale_memory_share: 0.85,

  // Workers in containers
  engine_answer_ms_max: 10_000,
  /** For one to be made or started, on a slow device too. */
  engine_start_ms_max: 60_000,
  /** How long a killed one may take to be gone. */
  engine_kill_ms_max: 10_000,
  engine_answer_bytes_max: 8_388_608,
  engine_containers_max: 1_000,
  /** What is read of a worker's output, and of one line of it. */
  worker_log_bytes_max: 67_108_864,
  worker_log_line_bytes_max: 65_536,
  worker_log_lines_max: 10_000,
  /** Threads that the pool of one source may have. */
  worker_threads_max: 64,
  /** What the engine keeps of a worker's output. */
  worker_log_file_bytes_max: 10_485_760,
  worker_tmp_bytes: 16_777_216,
  /** Processes and threads of a worker for which nothing else is said. */
  worker_pids_default: 256,
  worker_files_max: 16_384,
  worker_processes_max: 16_384,
  kernel_log_records_max: 20_000,

  // Workers in virtual machines
  /** For one to be made; its system starts after that. */
  machine_start_ms_max: 30_000,
  machine_answer_ms_max: 2_000,
  machine_answer_bytes_max: 1_048_576,
  machine_memory_bytes_min: 134_217_728,
  machine_memory_bytes_default: 268_435_456,
  machine_processors_max: 16,
  /** What one is given of its host, beside its system: its board has no more places. */
  machine_folders_max: 20,
  /** Where a worker in one answers questions, for its host alone. */
  machine_door_port: 9_180,
} as const;
