using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Reads baselines from files, and tells what has drifted between two.</summary>
    [Cmdlet(VerbsCommon.Get, "PChatBaseline")]
    [OutputType(typeof(Baseline))]
    public sealed class GetPChatBaseline : PChatCommand
    {
        /// <summary>A file, or a folder whose newest baseline is meant.</summary>
        [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
        [ValidateNotNullOrEmpty]
        public string Path { get; set; }

        /// <summary>Only baselines of this database.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string Database { get; set; }

        /// <summary>All baselines of the folder, newest first.</summary>
        [Parameter]
        public SwitchParameter All { get; set; }

        /// <summary>An earlier baseline to compare with: a file, or a folder whose newest is meant.</summary>
        [Parameter]
        public string ReferencePath { get; set; }

        protected override void ProcessRecord()
        {
            try
            {
                var request = new Dictionary<string, object>
                {
                    { "version", 1 },
                    { "path", ClientFolder.Full(this, "Path", Path) },
                    { "database", string.IsNullOrEmpty(Database) ? null : Database },
                    { "all", All.IsPresent },
                    { "reference_path", ClientFolder.Full(this, "ReferencePath", ReferencePath) },
                };
                Read("pchat_baseline_get", request, Path, null);
            }
            catch (PChatException e)
            {
                WriteError(e.ToErrorRecord(Path));
            }
        }
    }
}
