using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The gate, then recovery: the database comes online for good. With a full backup: its restore, never recovery.</summary>
    [Cmdlet(VerbsData.Restore, "PChatDatabase", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High,
        DefaultParameterSetName = "Recover")]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RestorePChatDatabase : FolderChangeCommand
    {
        /// <summary>The loss that is accepted: the LSN or the time that the refusal shows.</summary>
        [Parameter(ParameterSetName = "Recover")]
        public string AcceptDataLoss { get; set; }

        /// <summary>Witnesses that are ignored by name: PrimaryMirror, ShareFiles, Monitor; Primary for its own answer, or none.</summary>
        [Parameter(ParameterSetName = "Recover")]
        public string[] IgnoreWitness { get; set; }

        /// <summary>The primary; log shipping's record, restore history or the log backups name it otherwise.</summary>
        [Parameter(ParameterSetName = "Recover")]
        public string PrimarySqlInstance { get; set; }

        [Parameter(ParameterSetName = "Recover")]
        public string PrimaryMirrorSqlInstance { get; set; }

        [Parameter(ParameterSetName = "Recover")]
        public string MonitorSqlInstance { get; set; }

        [Parameter(ParameterSetName = "Recover")]
        [Credential]
        public PSCredential PrimarySqlCredential { get; set; }

        [Parameter(ParameterSetName = "Recover")]
        [Credential]
        public PSCredential PrimaryMirrorSqlCredential { get; set; }

        [Parameter(ParameterSetName = "Recover")]
        [Credential]
        public PSCredential MonitorSqlCredential { get; set; }

        /// <summary>A full backup as the instance opens it; it is restored WITH NORECOVERY.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "BackupFile")]
        [ValidateNotNullOrEmpty]
        public string BackupFile { get; set; }

        /// <summary>Which backup of the file, from 1.</summary>
        [Parameter(ParameterSetName = "BackupFile")]
        [ValidateRange(1, 32767)]
        public int Position { get; set; }

        /// <summary>What the refusal names a restoring copy by that may be overwritten all the same.</summary>
        [Parameter(ParameterSetName = "BackupFile")]
        public string ReplaceCopyAt { get; set; }

        public RestorePChatDatabase()
        {
            Position = 1;
        }

        private bool IsFullBackup
        {
            get { return !string.IsNullOrEmpty(BackupFile); }
        }

        internal override string Export
        {
            get { return IsFullBackup ? "pchat_database_restore" : "pchat_database_recover"; }
        }

        internal override string Kind
        {
            get { return IsFullBackup ? "restore_full" : "recover"; }
        }

        internal override string Caption
        {
            get { return IsFullBackup ? "Restore a full backup" : "Recover the database"; }
        }

        internal override void AddLogins(Session opened)
        {
            base.AddLogins(opened);
            AddLogin(opened, PrimarySqlCredential, "Primary", PrimarySqlInstance);
            AddLogin(opened, PrimaryMirrorSqlCredential, "PrimaryMirror", PrimaryMirrorSqlInstance);
            AddLogin(opened, MonitorSqlCredential, "Monitor", MonitorSqlInstance);
        }

        internal override void Complete(Dictionary<string, object> request)
        {
            if (!IsFullBackup)
            {
                request["accept_data_loss"] = NullIfEmpty(AcceptDataLoss);
                request["ignore_witness"] = IgnoreWitness ?? new string[0];
                request["primary_sql_instance"] = NullIfEmpty(PrimarySqlInstance);
                request["primary_mirror_sql_instance"] = NullIfEmpty(PrimaryMirrorSqlInstance);
                request["monitor_sql_instance"] = NullIfEmpty(MonitorSqlInstance);
                return;
            }
            request.Remove("folders");
            request["backup_file"] = BackupFile;
            request["position"] = Position;
            request["replace_copy_at"] = NullIfEmpty(ReplaceCopyAt);
        }
    }
}
