using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Finishes a run that was cut off. Each step asks the system whether it is done already.</summary>
    [Cmdlet(VerbsLifecycle.Resume, "PChatRun", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(StepResult), typeof(RunResult))]
    public sealed class ResumePChatRun : RunCommand
    {
        /// <summary>The loss that is accepted: the LSN or the time that the refusal shows.</summary>
        [Parameter]
        public string AcceptDataLoss { get; set; }

        /// <summary>The servers to be active, instead of those that the run was begun with.</summary>
        [Parameter]
        public string[] ActiveServer { get; set; }

        protected override void ProcessRecord()
        {
            Run("pchat_run_resume", "failover", "Resume the run", AcceptDataLoss, ActiveServer);
        }
    }
}
