using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>The gate, then recovery: the database comes online for good.</summary>
    [Cmdlet(VerbsData.Restore, "PChatDatabase", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RestorePChatDatabase : FolderCommand
    {
        /// <summary>The loss that is accepted: the LSN or the time that the refusal shows.</summary>
        [Parameter]
        public string AcceptDataLoss { get; set; }

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
                    { "folders", Folders() },
                    { "journal", Journal() },
                    { "accept_data_loss", NullIfEmpty(AcceptDataLoss) },
                };
                new Change(this, Force).Run("pchat_database_recover", request, instance, "Recover the database");
            }
        }
    }
}
