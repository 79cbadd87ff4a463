using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Lists the runs of a journal, with a warning where one is open; one run with its steps.</summary>
    [Cmdlet(VerbsCommon.Get, "PChatRun")]
    [OutputType(typeof(RunSummary))]
    public sealed class GetPChatRun : PChatCommand
    {
        /// <summary>One run, with its steps.</summary>
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
        public string RunId { get; set; }

        /// <summary>The folder of the journal; the default is machine-wide.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string JournalPath { get; set; }

        /// <summary>Only runs that are neither finished nor given up.</summary>
        [Parameter]
        public SwitchParameter Open { get; set; }

        protected override void ProcessRecord()
        {
            try
            {
                var request = new Dictionary<string, object>
                {
                    { "version", 1 },
                    { "journal", JournalPlace.Document(this, JournalPath, null, true) },
                    { "run_id", string.IsNullOrEmpty(RunId) ? null : RunId },
                    { "open_only", Open.IsPresent },
                };
                Read("pchat_run_list", request, RunId, Warn);
            }
            catch (PChatException e)
            {
                WriteError(e.ToErrorRecord(RunId));
            }
        }

        private bool Warn(object item)
        {
            var run = item as RunSummary;
            if (run != null && run.IsOpen)
            {
                string where = string.IsNullOrEmpty(run.SqlInstance) ? run.PoolFqdn : run.SqlInstance;
                Writer.Message("warning", "Run " + run.RunId + " on " + where + " is open, last step " +
                    (run.LastStep ?? "none") + ". Resume-PChatRun finishes it" +
                    (run.CanUndo ? "; Undo-PChatRun gives it up." : "."));
            }
            return false;
        }
    }
}
