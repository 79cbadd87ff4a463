using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Captures, stops the jobs, and removes log shipping on the secondary.</summary>
    [Cmdlet(VerbsCommon.Remove, "PChatLogShipping", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RemovePChatLogShipping : TargetCommand
    {
        private readonly Gathering gathering = new Gathering();

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
                try
                {
                    gathering.Add(new Dictionary<string, object>
                    {
                        { "version", 1 },
                        { "target", Target(instance) },
                        { "journal", JournalPlace.Document(this, JournalPath, null, false) },
                        { "plan_only", true },
                        { "approved_digest", null },
                    });
                }
                catch (PChatException e)
                {
                    WriteRun(NoResult("remove", instance).Failed(e.Error));
                }
            }
        }

        protected override void EndProcessing()
        {
            foreach (Dictionary<string, object> request in gathering.Requests)
            {
                if (IsStopping)
                {
                    return;
                }
                new Change(this, "Remove log shipping").Run(
                    "pchat_log_shipping_remove", request, NoResult("remove", Gathering.Instance(request)));
            }
        }
    }
}
