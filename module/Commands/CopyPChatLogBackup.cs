using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Copies the log backups that are missing in the copy folder: temporary name, verify, rename; resumes.</summary>
    [Cmdlet(VerbsCommon.Copy, "PChatLogBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class CopyPChatLogBackup : FolderChangeCommand
    {
        /// <summary>Only these log backups.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string[] Name { get; set; }

        /// <summary>The rate of copying, in MiB a second; unlimited without it.</summary>
        [Parameter]
        [ValidateRange(1, 100000)]
        public int? MaxMegabytesPerSecond { get; set; }

        internal override string Export
        {
            get { return "pchat_log_backup_copy"; }
        }

        internal override string Kind
        {
            get { return "copy"; }
        }

        internal override string Caption
        {
            get { return "Copy log backups"; }
        }

        internal override void Complete(Dictionary<string, object> request)
        {
            request["names"] = Name == null ? null : new List<object>(Name);
            request["max_megabytes_per_second"] = MaxMegabytesPerSecond;
        }
    }
}
