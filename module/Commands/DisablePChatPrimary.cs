using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Keeps an old primary and its mirror from waking up as a second one.</summary>
    [Cmdlet(VerbsLifecycle.Disable, "PChatPrimary", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class DisablePChatPrimary : JournaledCommand
    {
        /// <summary>The old primary's mirror, which is fenced with it.</summary>
        [Parameter]
        public string PrimaryMirrorSqlInstance { get; set; }

        /// <summary>The instance that serves now: proof that the old one does not.</summary>
        [Parameter(Mandatory = true)]
        public string BackupSqlInstance { get; set; }

        /// <summary>Disables the jobs of log shipping there.</summary>
        [Parameter]
        public SwitchParameter DisableJob { get; set; }

        /// <summary>Ends mirroring on both.</summary>
        [Parameter]
        public SwitchParameter RemoveMirror { get; set; }

        /// <summary>Takes the database offline where it is ONLINE.</summary>
        [Parameter]
        public SwitchParameter TakeOffline { get; set; }

        [Parameter]
        [Credential]
        public PSCredential PrimaryMirrorSqlCredential { get; set; }

        [Parameter]
        [Credential]
        public PSCredential BackupSqlCredential { get; set; }

        internal override void AddLogins(Session opened)
        {
            base.AddLogins(opened);
            AddLogin(opened, PrimaryMirrorSqlCredential, "PrimaryMirror", PrimaryMirrorSqlInstance);
            AddLogin(opened, BackupSqlCredential, "Backup", BackupSqlInstance);
        }

        internal override void Complete(Dictionary<string, object> request)
        {
            request["primary_mirror_sql_instance"] = NullIfEmpty(PrimaryMirrorSqlInstance);
            request["backup_sql_instance"] = BackupSqlInstance;
            request["remove_mirroring"] = RemoveMirror.IsPresent;
            request["take_offline"] = TakeOffline.IsPresent;
            request["disable_jobs"] = DisableJob.IsPresent;
        }

        internal override string Export
        {
            get { return "pchat_primary_disable"; }
        }

        internal override string Kind
        {
            get { return "disable_primary"; }
        }

        internal override string Caption
        {
            get { return "Fence the old primary"; }
        }
    }
}
