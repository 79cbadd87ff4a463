using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Sets log shipping up as a baseline or the command has it, on a mirroring partner too, or the other way round.</summary>
    [Cmdlet(VerbsCommon.New, "PChatLogShipping", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class NewPChatLogShipping : JournaledCommand
    {
        /// <summary>The secondary; without it the instance is made a primary as its mirroring partner is one.</summary>
        [Parameter]
        public string SecondarySqlInstance { get; set; }

        /// <summary>The mirroring partner of the primary, which becomes a primary too.</summary>
        [Parameter]
        public string MirrorSqlInstance { get; set; }

        /// <summary>The baseline: its file, the folder of several, or what Get-PChatBaseline gave.</summary>
        [Parameter]
        public object Baseline { get; set; }

        /// <summary>While failed over: the backup ships to the old primary, so that the way home is short.</summary>
        [Parameter]
        public SwitchParameter Reverse { get; set; }

        /// <summary>The share of the log backups, instead of the baseline's.</summary>
        [Parameter]
        public string LogBackupShare { get; set; }

        /// <summary>The copy folder on the secondary's host, instead of the baseline's.</summary>
        [Parameter]
        public string CopyFolder { get; set; }

        /// <summary>How often the jobs run where no baseline tells it, in minutes.</summary>
        [Parameter]
        [ValidateRange(1, 1440)]
        public int IntervalMinutes { get; set; }

        /// <summary>The monitor, for its credential alone.</summary>
        [Parameter]
        public string MonitorSqlInstance { get; set; }

        [Parameter]
        [Credential]
        public PSCredential SecondarySqlCredential { get; set; }

        [Parameter]
        [Credential]
        public PSCredential MirrorSqlCredential { get; set; }

        [Parameter]
        [Credential]
        public PSCredential MonitorSqlCredential { get; set; }

        public NewPChatLogShipping()
        {
            IntervalMinutes = 15;
        }

        internal override string Export
        {
            get { return "pchat_log_shipping_add"; }
        }

        internal override string Kind
        {
            get { return "set_up_log_shipping"; }
        }

        internal override string Caption
        {
            get { return "Set up log shipping"; }
        }

        internal override void AddLogins(Session opened)
        {
            base.AddLogins(opened);
            AddLogin(opened, SecondarySqlCredential, "Secondary", SecondarySqlInstance);
            AddLogin(opened, MirrorSqlCredential, "Mirror", MirrorSqlInstance);
            AddLogin(opened, MonitorSqlCredential, "Monitor", MonitorSqlInstance);
        }

        internal override void Complete(Dictionary<string, object> request)
        {
            request["secondary_sql_instance"] = NullIfEmpty(SecondarySqlInstance);
            request["mirror_sql_instance"] = NullIfEmpty(MirrorSqlInstance);
            request["baseline_path"] = BaselinePath.Full(this, Baseline);
            request["reverse"] = Reverse.IsPresent;
            request["log_backup_share"] = NullIfEmpty(LogBackupShare);
            request["copy_folder"] = NullIfEmpty(CopyFolder);
            request["interval_minutes"] = IntervalMinutes;
        }
    }
}
