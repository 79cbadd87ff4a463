using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>Item `log_shipping`: the secondary's log shipping record, database state, redo point and jobs.</summary>
    public sealed class LogShipping
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        /// <summary>`record` while log shipping is configured, `journal` where a capture of it was found, `none`.</summary>
        public string Source { get; set; }

        public string PrimarySqlInstance { get; set; }

        public string PrimaryDatabase { get; set; }

        public string SecondaryId { get; set; }

        public string LogBackupShare { get; set; }

        public string CopyFolder { get; set; }

        public string MonitorSqlInstance { get; set; }

        /// <summary>`restoring`, `standby`, `online`, … as the instance shows it, in lower case.</summary>
        public string DatabaseState { get; set; }

        public decimal? RedoPointLsn { get; set; }

        public string RedoPointForkId { get; set; }

        public string RestoreMode { get; set; }

        public string LastCopiedFile { get; set; }

        public DateTime? LastCopiedAtUtc { get; set; }

        public string LastRestoredFile { get; set; }

        public DateTime? LastRestoredAtUtc { get; set; }

        public long? RestoreLatencyMinutes { get; set; }

        public long? RestoreThresholdMinutes { get; set; }

        public AgentJob CopyJob { get; set; }

        public AgentJob RestoreJob { get; set; }

        /// <summary>`running`, `stopped` or `unknown`.</summary>
        public string AgentState { get; set; }
    }
}
