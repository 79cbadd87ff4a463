using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>What the operator is told where a command was stopped: the state reached, and how to go on.</summary>
    internal sealed class LastWords
    {
        private readonly Work work;
        private StepResult step;

        internal LastWords(Work work)
        {
            this.work = work;
        }

        internal void Heard(object item)
        {
            step = item as StepResult ?? step;
        }

        /// <summary>After Ctrl+C. <paramref name="ended"/> is null where the work has not come to its safe end yet.</summary>
        internal void Tell(ShellWriter writer, Ended ended)
        {
            if (!work.Changes)
            {
                if (work.AfterStop != null)
                {
                    writer.TellHost(work.AfterStop);
                }
                return;
            }
            if (ended == null)
            {
                writer.TellHost("Stopped" + Reached() + ". What was begun goes on to a safe end by itself while this shell lives; " +
                    "no further change is started. " + HowToGoOn());
                return;
            }
            if (ended.Failure != null)
            {
                writer.TellHost(ended.Failure.Message + " " + HowToGoOn());
                return;
            }
            var result = ended.As<RunResult>();
            string text = "Stopped" + Reached() + ". " + result.Text;
            foreach (string action in result.NextActions)
            {
                text += System.Environment.NewLine + "  Next: " + action;
            }
            writer.TellHost(result.NextActions.Length > 0 ? text : text + " " + HowToGoOn());
        }

        /// <summary>Where the pipeline was left early: Select-Object -First, or an error further down.</summary>
        internal void TellLeft(ShellWriter writer)
        {
            if (work.Changes)
            {
                writer.TellHost("The pipeline was left before the work had ended" + Reached() + "; it was asked to stop. " + HowToGoOn());
            }
        }

        private string Reached()
        {
            return step == null
                ? string.Empty
                : " after step " + step.Number + " (" + step.Title + ")" + (step.RunId == null ? string.Empty : " of run " + step.RunId);
        }

        private string HowToGoOn()
        {
            return work.AfterStop ?? "Get-PChatRun shows the state, Resume-PChatRun finishes it, Undo-PChatRun gives it up.";
        }
    }
}
