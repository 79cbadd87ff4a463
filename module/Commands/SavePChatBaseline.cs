using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Saves the healthy configuration of all four instances, the pool and its topology as a file.</summary>
    [Cmdlet(VerbsData.Save, "PChatBaseline", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
    [OutputType(typeof(Baseline))]
    public sealed class SavePChatBaseline : TargetCommand
    {
        /// <summary>The folder, of this machine or the network; at the disaster site.</summary>
        [Parameter(Mandatory = true, Position = 1)]
        [ValidateNotNullOrEmpty]
        public string Path { get; set; }

        /// <summary>The primary; log shipping's record on the backup names it otherwise.</summary>
        [Parameter]
        public string PrimarySqlInstance { get; set; }

        /// <summary>The primary's mirror; the topology names it otherwise.</summary>
        [Parameter]
        public string PrimaryMirrorSqlInstance { get; set; }

        /// <summary>The backup's mirror; the topology names it otherwise.</summary>
        [Parameter]
        public string BackupMirrorSqlInstance { get; set; }

        [Parameter]
        [Credential]
        public PSCredential PrimarySqlCredential { get; set; }

        [Parameter]
        [Credential]
        public PSCredential PrimaryMirrorSqlCredential { get; set; }

        [Parameter]
        [Credential]
        public PSCredential BackupMirrorSqlCredential { get; set; }

        /// <summary>The compliance database.</summary>
        [Parameter]
        [ValidateNotNullOrEmpty]
        public string ComplianceDatabase { get; set; }

        /// <summary>How many baselines of this database stay in the folder; the newest complete one always does.</summary>
        [Parameter]
        [ValidateRange(1, 100000)]
        public int Keep { get; set; }

        public SavePChatBaseline()
        {
            ComplianceDatabase = "mgccomp";
            Keep = 30;
        }

        internal override void AddLogins(Session opened)
        {
            base.AddLogins(opened);
            AddLogin(opened, PrimarySqlCredential, "Primary", PrimarySqlInstance);
            AddLogin(opened, PrimaryMirrorSqlCredential, "PrimaryMirror", PrimaryMirrorSqlInstance);
            AddLogin(opened, BackupMirrorSqlCredential, "BackupMirror", BackupMirrorSqlInstance);
        }

        protected override void ProcessRecord()
        {
            string folder;
            try
            {
                folder = ClientFolder.Full(this, "Path", Path);
            }
            catch (PChatException e)
            {
                WriteError(e.ToErrorRecord(Path));
                return;
            }
            foreach (string instance in SqlInstance)
            {
                if (!ShouldProcess(folder, "Save the baseline of " + Database + " on " + instance))
                {
                    continue;
                }
                var request = new Dictionary<string, object>
                {
                    { "version", 1 },
                    { "target", Target(instance) },
                    { "primary_sql_instance", NullIfEmpty(PrimarySqlInstance) },
                    { "primary_mirror_sql_instance", NullIfEmpty(PrimaryMirrorSqlInstance) },
                    { "backup_mirror_sql_instance", NullIfEmpty(BackupMirrorSqlInstance) },
                    { "compliance_database", ComplianceDatabase },
                    { "folder", folder },
                    { "keep", Keep },
                };
                Read("pchat_baseline_save", request, instance, null);
            }
        }
    }
}
