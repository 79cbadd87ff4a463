using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Restores the log backups that are needed, in LSN order, WITH NORECOVERY. What is needed is worked out anew.</summary>
    [Cmdlet(VerbsData.Restore, "PChatLogBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RestorePChatLogBackup : FolderChangeCommand
    {
        internal override string Export
        {
            get { return "pchat_log_backup_restore"; }
        }

        internal override string Kind
        {
            get { return "restore"; }
        }

        internal override string Caption
        {
            get { return "Restore log backups"; }
        }
    }
}
