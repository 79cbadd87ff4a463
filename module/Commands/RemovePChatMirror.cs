using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Ends mirroring of a database on this partner; says what to do with the copy that it leaves.</summary>
    [Cmdlet(VerbsCommon.Remove, "PChatMirror", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ActionResult), typeof(RunResult))]
    public sealed class RemovePChatMirror : JournaledCommand
    {
        internal override string Export
        {
            get { return "pchat_mirror_remove"; }
        }

        internal override string Kind
        {
            get { return "remove_mirror"; }
        }

        internal override string Caption
        {
            get { return "Remove the mirror"; }
        }
    }
}
