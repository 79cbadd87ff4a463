using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>The gate, then recovery: the database comes online for good.</summary>
    [Cmdlet(VerbsData.Restore, "PChatDatabase", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RestorePChatDatabase : FolderChangeCommand
    {
        /// <summary>The loss that is accepted: the LSN or the time that the refusal shows.</summary>
        [Parameter]
        public string AcceptDataLoss { get; set; }

        /// <summary>Witnesses that are ignored by name: PrimaryMirror, ShareFiles, Monitor; Primary for its own answer.</summary>
        [Parameter]
        public string[] IgnoreWitness { get; set; }

        internal override string Export
        {
            get { return "pchat_database_recover"; }
        }

        internal override string Kind
        {
            get { return "recover"; }
        }

        internal override string Caption
        {
            get { return "Recover the database"; }
        }

        internal override void Complete(Dictionary<string, object> request)
        {
            request["accept_data_loss"] = NullIfEmpty(AcceptDataLoss);
            request["ignore_witness"] = IgnoreWitness ?? new string[0];
        }
    }
}
