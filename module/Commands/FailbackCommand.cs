using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>What the plan and the failback share: the same parameters make the same request.</summary>
    public abstract class FailbackCommand : SwitchCommand
    {
        /// <summary>The share of the log backups; that of the baseline without it.</summary>
        [Parameter]
        public string LogBackupShare { get; set; }

        /// <summary>The baseline: its file, the folder of several, or what Get-PChatBaseline gave.</summary>
        [Parameter]
        public object Baseline { get; set; }

        /// <summary>The order of the published page, with a full backup alone: users are out meanwhile.</summary>
        [Parameter]
        public SwitchParameter Documented { get; set; }

        /// <summary>Instances at home whose restoring copy may be recovered, saved to a file and overwritten.</summary>
        [Parameter]
        public string[] RecoverAndSave { get; set; }

        /// <summary>The operator's word that compliance has processed everything.</summary>
        [Parameter]
        public SwitchParameter ComplianceDrained { get; set; }

        /// <summary>How long compliance may take to drain, and sessions to end, in seconds.</summary>
        [Parameter]
        [ValidateRange(1, 86400)]
        public int DrainTimeoutSeconds { get; set; }

        /// <summary>How long one service may take to stop or start, in seconds.</summary>
        [Parameter]
        [ValidateRange(1, 3600)]
        public int ServiceTimeoutSeconds { get; set; }

        protected FailbackCommand()
        {
            DrainTimeoutSeconds = PlannedSwitchOptions.DefaultDrainTimeoutSeconds;
            ServiceTimeoutSeconds = PlannedSwitchOptions.DefaultServiceTimeoutSeconds;
        }

        internal Dictionary<string, object> FailbackRequest(string instance)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "target", Target(instance) },
                { "backup_mirror_sql_instance", NullIfEmpty(BackupMirrorSqlInstance) },
                { "primary_sql_instance", NullIfEmpty(PrimarySqlInstance) },
                { "primary_mirror_sql_instance", NullIfEmpty(PrimaryMirrorSqlInstance) },
                { "active_servers", ActiveServer ?? new string[0] },
                { "log_backup_share", NullIfEmpty(LogBackupShare) },
                { "mirror_file_share", NullIfEmpty(MirrorFileShare) },
                { "baseline_path", BaselinePath.Full(this, Baseline) },
                { "baseline", null },
                { "path_map", Session.Entries(PathMap, "from", "to") },
                { "journal", Journal() },
                { "documented", Documented.IsPresent },
                { "recover_and_save", RecoverAndSave ?? new string[0] },
                { "compliance_drained", ComplianceDrained.IsPresent },
                { "drain_timeout_seconds", DrainTimeoutSeconds },
                { "service_timeout_seconds", ServiceTimeoutSeconds },
                { "pool_timeout_seconds", PoolTimeoutSeconds },
                { "spellings", Spellings(PoolStateIdentity, ActiveListIdentity) },
            };
        }
    }
}
