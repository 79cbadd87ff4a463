using System;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Ends a lab that this shell started, and removes its files.</summary>
    [Cmdlet(VerbsLifecycle.Stop, "PChatLab", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
    public sealed class StopPChatLab : PChatCommand
    {
        /// <summary>The lab, as Start-PChatLab gave it.</summary>
        [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
        [ValidateNotNullOrEmpty]
        public PChatLab[] Lab { get; set; }

        protected override void ProcessRecord()
        {
            foreach (PChatLab lab in Lab)
            {
                if (!ShouldProcess("lab " + lab.Control + " (" + lab.Scenario + ")", "Stop the lab and remove its files"))
                {
                    continue;
                }
                LabProcess running = LabProcess.Find(lab.Control);
                if (running == null)
                {
                    WriteVerbose("The lab " + lab.Control + " has ended already.");
                    continue;
                }
                running.Dispose();
                if (Environment.GetEnvironmentVariable(StartPChatLab.ControlVariable) == lab.Control)
                {
                    Environment.SetEnvironmentVariable(StartPChatLab.ControlVariable, null);
                }
            }
        }
    }
}
