using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Ends the sessions in the database, bars new ones, and waits for their rollback.</summary>
    [Cmdlet(VerbsLifecycle.Stop, "PChatConnection", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class StopPChatConnection : TargetCommand
    {
        // Get-PChatConnection hands out one object a session; the database is cleared once.
        private readonly Gathering gathering = new Gathering();

        /// <summary>How long the sessions may take to go, in seconds.</summary>
        [Parameter]
        [ValidateRange(1, 86400)]
        public int TimeoutSeconds { get; set; }

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        public StopPChatConnection()
        {
            TimeoutSeconds = 120;
        }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                gathering.Add(new Dictionary<string, object>
                {
                    { "version", 1 },
                    { "target", Target(instance) },
                    { "limit_seconds", TimeoutSeconds },
                    { "plan_only", true },
                    { "approved_digest", null },
                });
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
                new Change(this, "End connections").Run(
                    "pchat_connection_end", request, NoResult("end_connections", Gathering.Instance(request)));
            }
        }
    }
}
