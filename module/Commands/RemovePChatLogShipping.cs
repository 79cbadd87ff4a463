using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Captures, stops the jobs, and removes log shipping on the secondary.</summary>
    [Cmdlet(VerbsCommon.Remove, "PChatLogShipping", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RemovePChatLogShipping : TargetCommand
    {
        /// <summary>The folder of the journal, which takes the capture; the default is machine-wide.</summary>
        [Parameter]
        public string JournalPath { get; set; }

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                var request = new Dictionary<string, object>
                {
                    { "version", 1 },
                    { "target", Target(instance) },
                    { "journal", JournalPlace(JournalPath, null, false) },
                };
                new Change(this, Force).Run("pchat_log_shipping_remove", request, instance, "Remove log shipping");
            }
        }
    }
}
