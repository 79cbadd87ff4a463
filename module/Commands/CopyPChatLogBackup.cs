using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Copies the log backups that are missing in the copy folder: temporary name, verify, rename; resumes.</summary>
    [Cmdlet(VerbsCommon.Copy, "PChatLogBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class CopyPChatLogBackup : GatheringCommand
    {
        /// <summary>Only these log backups.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string[] Name { get; set; }

        /// <summary>The rate of copying, in MiB a second; unlimited without it.</summary>
        [Parameter]
        [ValidateRange(1, 100000)]
        public int? MaxMegabytesPerSecond { get; set; }

        internal override Dictionary<string, object> Request(string instance)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "target", Target(instance) },
                { "folders", Folders() },
                { "journal", Journal() },
                { "names", Name == null ? null : new List<object>(Name) },
                { "max_megabytes_per_second", MaxMegabytesPerSecond },
            };
        }

        internal override void Merge(Dictionary<string, object> known, Dictionary<string, object> further)
        {
            var names = known["names"] as List<object>;
            if (names != null && further["names"] != null)
            {
                names.AddRange((List<object>)further["names"]);
            }
        }

        internal override void Act(string instance, Dictionary<string, object> request)
        {
            new Change(this, Force).Run("pchat_log_backup_copy", request, instance, "Copy log backups");
        }
    }
}
