using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Captures, stops the jobs, and removes log shipping on the secondary.</summary>
    [Cmdlet(VerbsCommon.Remove, "PChatLogShipping", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RemovePChatLogShipping : JournaledCommand
    {
        /// <summary>The folder of the journal's second copy, at the backup site.</summary>
        [Parameter]
        public string JournalCopyPath { get; set; }

        /// <summary>Declines the second copy of the journal.</summary>
        [Parameter]
        public SwitchParameter NoJournalCopy { get; set; }

        internal override Dictionary<string, object> Journal()
        {
            return JournalPlace.Document(this, JournalPath, JournalCopyPath, NoJournalCopy.IsPresent);
        }

        internal override string Export
        {
            get { return "pchat_log_shipping_remove"; }
        }

        internal override string Kind
        {
            get { return "remove"; }
        }

        internal override string Caption
        {
            get { return "Remove log shipping"; }
        }
    }
}
