using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Takes a full, log or tail backup into a new file and verifies it.</summary>
    [Cmdlet(VerbsData.Backup, "PChatDatabase", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(DatabaseBackup), typeof(ActionResult), typeof(RunResult))]
    public sealed class BackupPChatDatabase : JournaledCommand
    {
        /// <summary>Full, Log, Tail (the database is RESTORING afterwards) or Salvage (of a damaged one).</summary>
        [Parameter]
        [ValidateSet("Full", "Log", "Tail", "Salvage")]
        public string Type { get; set; }

        /// <summary>The folder as the instance opens it; log shipping's own for what belongs to its chain, else the default.</summary>
        [Parameter]
        public string BackupPath { get; set; }

        /// <summary>How long sessions that come back are ended before a tail is given up, in seconds.</summary>
        [Parameter]
        [ValidateRange(1, 86400)]
        public int TimeoutSeconds { get; set; }

        public BackupPChatDatabase()
        {
            Type = "Full";
            TimeoutSeconds = 120;
        }

        internal override void Complete(Dictionary<string, object> request)
        {
            request["backup_type"] = Type.ToLowerInvariant();
            request["folder"] = NullIfEmpty(BackupPath);
            request["limit_seconds"] = TimeoutSeconds;
        }

        internal override string Export
        {
            get { return "pchat_database_backup"; }
        }

        internal override string Kind
        {
            get { return "backup"; }
        }

        internal override string Caption
        {
            get { return "Back up the database"; }
        }
    }
}
