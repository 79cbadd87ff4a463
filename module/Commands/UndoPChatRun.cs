using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Gives a run up, while log shipping is still there: the jobs as captured, a standby copy standby again.</summary>
    [Cmdlet(VerbsCommon.Undo, "PChatRun", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(StepResult), typeof(RunResult))]
    public sealed class UndoPChatRun : RunCommand
    {
        protected override void ProcessRecord()
        {
            Run("pchat_run_undo", "undo", "Give the run up", null, null);
        }
    }
}
