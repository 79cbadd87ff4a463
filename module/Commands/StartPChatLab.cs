using System;
using System.IO;
using System.Management.Automation;
using System.Reflection;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Starts a lab: simulated instances, shares and a pool on loopback. It ends with this shell.</summary>
    [Cmdlet(VerbsLifecycle.Start, "PChatLab", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
    [OutputType(typeof(PChatLab))]
    public sealed class StartPChatLab : PChatCommand
    {
        internal const string ControlVariable = "PCHAT_LAB_CONTROL";

        /// <summary>The name of a scenario, or the path of a scenario file.</summary>
        [Parameter(Position = 0)]
        [ValidateNotNullOrEmpty]
        public string Scenario { get; set; }

        public StartPChatLab()
        {
            Scenario = "small";
        }

        protected override void ProcessRecord()
        {
            if (!ShouldProcess("scenario " + Scenario, "Start a lab on this machine's loopback addresses"))
            {
                return;
            }
            try
            {
                LabProcess lab = LabProcess.Start(ScenarioFile(this, Scenario), () => IsStopping);
                // The stand-ins, once imported, talk to the lab that was started last.
                Environment.SetEnvironmentVariable(ControlVariable, lab.Door.Address);
                if (!lab.HasBrowser)
                {
                    WriteWarning("Another program holds UDP 1434, so the lab has no browser: its named instances are found by the ports in its AddressMap.");
                }
                WriteObject(PChatLab.Of(lab, Scenario, StandInModule));
            }
            catch (PChatException e)
            {
                WriteError(e.ToErrorRecord(Scenario));
            }
        }

        /// <summary>A name as it is, a path as the shell's own folder makes it.</summary>
        internal static string ScenarioFile(PSCmdlet cmdlet, string scenario)
        {
            if (scenario.IndexOfAny(new[] { '/', '\\', '.' }) < 0)
            {
                return scenario;
            }
            try
            {
                return cmdlet.GetUnresolvedProviderPathFromPSPath(scenario);
            }
            catch (Exception e) when (e is RuntimeException && !(e is PipelineStoppedException) || e is NotSupportedException)
            {
                throw PChatException.BadValue("-Scenario " + scenario + " is no path: " + e.Message, "Give a name or a file.");
            }
        }

        /// <summary>The manifest of the stand-ins, which comes with this module.</summary>
        internal static string StandInModule
        {
            get
            {
                string folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) ?? string.Empty;
                return Path.Combine(Path.Combine(Path.Combine(folder, "lab"), "PChatLab.Lync"), "PChatLab.Lync.psd1");
            }
        }
    }
}
