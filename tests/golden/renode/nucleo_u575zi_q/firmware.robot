*** Settings ***
Documentation     ST NUCLEO-U575ZI-Q: the firmware in ../firmware.elf boots in Renode and says who it is.
Suite Setup       Setup
Suite Teardown    Teardown
Test Teardown     Test Teardown
Resource          ${RENODEKEYWORDS}
Library           OperatingSystem

*** Variables ***
${ELF}            ${CURDIR}/../firmware.elf
${SAID}           ${TEMPDIR}/sqm_nucleo_u575zi_q_uart.bin

*** Test Cases ***
The Firmware Says Who It Is
    Remove Files               ${SAID}*
    Execute Command            mach create "dut"
    Execute Command            machine LoadPlatformDescription @${CURDIR}/board.repl
    Execute Command            sysbus LoadELF @${ELF}
    Execute Command            sysbus.uart CreateFileBackend @${SAID} true
    Execute Command            emulation RunFor "0.01"
    # The request HELLO; firmware/protocol/PROTOCOL.md draws the frame.
    FOR    ${byte}    IN    0x07    0x01    0x01    0x28    0x13    0xc5    0x2f    0x00
        Execute Command        sysbus.uart WriteChar ${byte}
    END
    Execute Command            emulation RunFor "0.02"
    ${said}=    Get File       ${SAID}    encoding=latin-1
    Should Contain             ${said}    nucleo_u575zi_q
    Should Contain             ${said}    digits
