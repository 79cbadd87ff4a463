using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Restores the log backups that are needed, in LSN order, WITH NORECOVERY. What is needed is worked out anew.</summary>
    [Cmdlet(VerbsData.Restore, "PChatLogBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RestorePChatLogBackup : GatheringCommand
    {
        internal override Dictionary<string, object> Request(string instance)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "target", Target(instance) },
                { "folders", Folders() },
                { "journal", Journal() },
            };
        }

        internal override void Act(string instance, Dictionary<string, object> request)
        {
            new Change(this, Force).Run("pchat_log_backup_restore", request, instance, "Restore log backups");
        }
    }
}
