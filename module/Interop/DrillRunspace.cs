using System;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// A runspace with the stand-ins alone, pointed at one lab. The user's own session, with real commands perhaps, is
    /// left out of it.
    /// </summary>
    internal sealed class DrillRunspace : IDisposable
    {
        /// <summary>The module that every native command of a drill comes from.</summary>
        internal const string Module = "PChatLab.Lync";

        private readonly Runspace runspace;

        internal DrillRunspace(PChatLab lab)
        {
            InitialSessionState state = InitialSessionState.CreateDefault2();
            state.ImportPSModule(new[] { "Microsoft.PowerShell.Utility", "Microsoft.PowerShell.Management", lab.StandInModule });
            runspace = RunspaceFactory.CreateRunspace(state);
            try
            {
                runspace.Open();
                Carry("Set-Variable", "Name", "PSModuleAutoLoadingPreference", "Value", "None", "Scope", "Global");
                Carry(Module + "\\Connect-PChatLabLync", "Control", lab.Control);
            }
            catch
            {
                runspace.Dispose();
                throw;
            }
        }

        internal Runspace Runspace
        {
            get { return runspace; }
        }

        private void Carry(string command, params string[] parameters)
        {
            using (PowerShell shell = PowerShell.Create())
            {
                shell.Runspace = runspace;
                shell.AddCommand(command);
                for (int i = 0; i < parameters.Length; i += 2)
                {
                    shell.AddParameter(parameters[i], parameters[i + 1]);
                }
                shell.AddParameter("ErrorAction", ActionPreference.Stop);
                shell.Invoke();
            }
        }

        public void Dispose()
        {
            runspace.Dispose();
        }
    }
}
